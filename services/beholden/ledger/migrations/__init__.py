"""The ledger's schema, version by version; run when it is opened."""
