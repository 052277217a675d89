"""How a phone logs in on a portal's page, wherever the page lies: what is typed, and what the guest reads."""

from kampungnet.shared.portal_body import Way
from kampungnet.shared.wanted import UserKind, WantedPlan, WantedUser
from tests.support.browser import Browser

CODE = "k7mp3xqwf2"
PLANS = [WantedPlan("tamu"), WantedPlan("harian"), WantedPlan("kantor")]
USERS = [WantedUser("V1", CODE, "harian"), WantedUser("A1", "kades", "kantor", UserKind.ACCOUNT, "rahasia desa")]
WORDS = {
    "id": ("Setuju dan mulai online", "Kode, nama, atau kata sandi salah", "Anda sudah online"),
    "en": ("Agree and go online", "The code, the name or the password is not right", "You are online"),
}
"""Of each language: before the login, what a wrong code is told, and after it."""


async def log_in(phone: Browser, way: Way) -> None:
    """Log in by one of the three ways, as one of ``USERS`` or by a click."""
    if way is Way.CLICK:
        await phone.click("a.b")
    elif way is Way.VOUCHER:
        await type_code(phone, CODE)
    else:
        await phone.fill("#name", "kades")
        await phone.fill("#word", "rahasia desa")
        await phone.click("form:has(#word) button")


async def type_code(phone: Browser, code: str) -> None:
    """Type a voucher's code and send it."""
    await phone.fill("#code", code)
    await phone.click("form:has(#code) button")
