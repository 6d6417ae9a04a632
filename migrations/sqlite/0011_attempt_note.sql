-- What the adapter noted of an attempt that went well: a vendor's message id.
ALTER TABLE attempts ADD COLUMN note TEXT;
