"""The register: kabupaten, kecamatan, desa and kelurahan, keyed by their Kemendagri codes as text."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base


class Regency(Base):
    """A kabupaten or kota, for example ``35.10`` Banyuwangi."""

    __tablename__ = "regencies"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    """IANA zone that cuts its days and months."""


class District(Base):
    """A kecamatan, for example ``35.10.15``."""

    __tablename__ = "districts"

    regency: Mapped[str] = mapped_column(ForeignKey(Regency.code), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Village(Base):
    """A desa or kelurahan, for example ``35.10.15.2012``. Names are not unique; codes are."""

    __tablename__ = "villages"
    __table_args__ = (ForeignKeyConstraint(["regency", "district"], [District.regency, District.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    district: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    """``desa`` or ``kelurahan``: only a desa has its own budget (APBDes)."""
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    """WGS84 degrees; the centre of the village's area until a person moves the point."""
    postal_code: Mapped[str]
