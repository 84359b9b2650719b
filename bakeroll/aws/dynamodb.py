"""The table of releases, rolls and leases. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import code_of, translated
from bakeroll.document import Document, Item
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UNMADE = "ResourceNotFoundException"


class DocumentTable:
    """Documents by the keys `pk` and `sk`, written under conditions.

    `may_be_unmade`: there is nothing to list until somebody makes the table.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, may_be_unmade: bool = False) -> None:
        self._client, self._table, self._may_be_unmade = client, table, may_be_unmade

    def get(self, pk: str, sk: str) -> Document | None:
        """The document as it was last written (a consistent read)."""
        with self._translated("GetItem"):
            found = self._client.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True)
        return self._document(found["Item"]) if "Item" in found else None

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        """Write if the current document's token is `over` (None: if there is no document). Else return the current one.

        A retry after a lost answer may find its own write. It recognizes its token and counts as written.
        """
        condition: Any = (
            {"ConditionExpression": "attribute_not_exists(pk)"}
            if over is None
            else {
                "ConditionExpression": "#token = :over",
                "ExpressionAttributeNames": {"#token": "token"},
                "ExpressionAttributeValues": {":over": {"S": over}},
            }
        )
        item = {**_key(pk, sk), "body": {"S": new.body}, "token": {"S": new.token}}
        try:
            with self._translated("PutItem"):
                self._client.put_item(TableName=self._table, Item=item, **condition)
        except CloudError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            there = self.get(pk, sk)
            if there is None:
                raise
            return None if there.token == new.token else there
        return None

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        """The documents whose second key begins with `prefix`, greatest key first."""
        try:
            return self._listed(pk, prefix, limit)
        except CloudError as error:
            if self._may_be_unmade and code_of(error) == UNMADE:
                return []
            raise

    def _listed(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        values: dict[str, Any] = {":pk": {"S": pk}} | ({":prefix": {"S": prefix}} if prefix else {})
        condition = "pk = :pk and begins_with(sk, :prefix)" if prefix else "pk = :pk"
        with self._translated("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": limit, "PageSize": min(limit, 100)},
            )
            return [self._document(each) for page in pages for each in page["Items"]]

    def _document(self, item: Any) -> Document:
        where = Item(self._table, _text(item, "pk"), _text(item, "sk"))
        return Document(_text(item, "body"), _text(item, "token"), where)

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            with translated(operation, f"table {self._table}"):
                yield
        except CloudError as error:
            if code_of(error) == UNMADE:
                error.next_step = "Make it: fab account.init, with the same --env"
            raise


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _text(item: Any, name: str) -> str:
    """The attribute's text. Empty if it is missing or of another type; the reader of the document reports that."""
    return str(item.get(name, {}).get("S", ""))
