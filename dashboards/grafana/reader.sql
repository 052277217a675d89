-- The role with which Grafana, or a person, reads: the views for people, and nothing else of the database. No staff, no
-- passwords, no vouchers, no sessions. Run it as PostgreSQL's superuser, once; views that an upgrade or a restore makes anew
-- are opened to it by `kampungnet migrate`, as the server's unit runs it before each start:
--
--   sudo -u postgres psql -d kampungnet -f reader.sql
--   sudo -u postgres psql -d kampungnet -c '\password kampungnet_reader'
--
-- It sees every village of the database: give its password to the Kominfo office only.

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kampungnet_reader') THEN
    CREATE ROLE kampungnet_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
  END IF;
END $$;
ALTER ROLE kampungnet_reader SET default_transaction_read_only = on;
ALTER ROLE kampungnet_reader SET statement_timeout = '15s';
-- Its views see every village: without this the wall between villages would show none.
ALTER ROLE kampungnet_reader SET kampungnet.place = '*';

GRANT SELECT ON places_read, sites_read, villages_read, devices_read, agents_read, outages_read, incidents_read,
  hotspot_days_read, contracts_read, statements_read, budget_lines_read, traffic_days_read, traffic_hours_read,
  traffic_months_read TO kampungnet_reader;
