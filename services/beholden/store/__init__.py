"""Galleries in Milvus: one adapter for Milvus Lite in process and for a Milvus server."""
