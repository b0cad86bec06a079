"""The same galleries as under the contract tests."""

from tests.contract.conftest import milvus_place, store_place

__all__ = ["milvus_place", "store_place"]
