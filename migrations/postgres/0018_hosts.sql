-- Which release a host is of, for whoever looks after several.
ALTER TABLE hosts ADD COLUMN version TEXT;
