"""One session on a Spark Connect server: runs statements, reads and writes Parquet."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.errors import ConfigurationError, WarehouseError
from pipeline.settings import Secret

__all__ = ["Refused", "SparkConnection", "missing_packages"]

#: Times are UTC without a zone, and what does not fit is an error, as in DuckDB.
_SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
#: A request that does not reach the server is sent again so often, with pauses that add up to about 4 s.
_TRIES = 4


class Refused(Exception):  # noqa: N818 - not an error by itself: who runs the statement says what it means
    """The server does not run a statement; the text is its reason."""


def missing_packages(error: ImportError) -> ConfigurationError:
    """Return the error for a package of the extra that is not installed."""
    return ConfigurationError(
        f"the engine 'spark' needs packages that are not installed ({error.name})",
        where="[warehouse] engine",
        hint="install them: pip install 'sisense-access-review[spark]'",
    )


class SparkConnection:
    """A session of its own on the server at ``url`` (``sc://host:port``), encrypted if there is a ``token``.

    Raises:
        ConfigurationError: the packages of the extra are missing, or the address is malformed.
        WarehouseError: the server does not answer.
    """

    def __init__(self, url: str, token: Secret | None = None) -> None:
        self.url = url
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pyspark's, about the next version of pandas
                from pyspark.sql.connect.client.retries import DefaultPolicy
                from pyspark.sql.connect.session import SparkSession
        except ImportError as error:
            raise missing_packages(error) from error
        # A thread of pyspark says so once more, after the error that says it here.
        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
        policy = DefaultPolicy(max_retries=_TRIES)
        address = url if token is None else f"{url.rstrip('/')}/;use_ssl=true;token={token.reveal()}"
        with self._talking():
            self._spark: Any = SparkSession.builder.remote(address).create()
            self._spark.client.set_retry_policies([policy])
            for name, value in _SETTINGS.items():
                self._spark.conf.set(name, value)

    def rows(self, statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return the rows of a select."""
        table = self.table(statement, values)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def table(self, statement: str, values: Mapping[str, object]) -> Any:
        """Return the rows of a select as a table of pyarrow."""
        with self._talking():
            return self._frame(statement, values).toArrow()

    def columns(self, statement: str, values: Mapping[str, object]) -> list[tuple[str, str]]:
        """Return the names and types of a select's columns; it is analysed and does not run."""
        with self._talking():
            schema = self._frame(statement, values).schema
        return [(field.name, field.dataType.simpleString()) for field in schema.fields]

    def write(self, statement: str, values: Mapping[str, object], folder: str) -> None:
        """Run a select and store its rows as Parquet files in a new folder."""
        with self._talking():
            self._frame(statement, values).write.mode("overwrite").parquet(folder)

    def view(self, name: str, folder: str) -> None:
        """Give the Parquet files of a folder a name that statements can read."""
        with self._talking():
            self._spark.read.parquet(folder).createOrReplaceTempView(name)

    def empty_view(self, name: str, columns: Sequence[tuple[str, str]]) -> None:
        """Give a table without rows a name that statements can read; its columns have Spark's types."""
        listed = ", ".join(f"cast(null as {kind}) as `{column}`" for column, kind in columns)
        with self._talking():
            self._spark.sql(f"select {listed} where false").createOrReplaceTempView(name)

    def close(self) -> None:
        """End the session; a server that is gone has ended it already."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._spark.stop()

    def _frame(self, statement: str, values: Mapping[str, object]) -> Any:
        return self._spark.sql(statement, args=dict(values)) if values else self._spark.sql(statement)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Tell a server that is gone from a statement that it refuses."""
        import grpc
        from pyarrow import ArrowException
        from pyspark.errors import PySparkException

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it gives up; the error says so
                yield
        except grpc.RpcError as error:
            raise self._gone(error) from error
        except ArrowException as error:
            raise Refused(str(error).splitlines()[0]) from error
        except PySparkException as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, grpc.RpcError) and cause.code() == grpc.StatusCode.UNAVAILABLE:
                raise self._gone(cause) from error
            if error.getCondition() in {"CONNECT_URL_NOT_SET", "INVALID_CONNECT_URL"}:
                raise ConfigurationError(
                    f"this is not the address of a Spark Connect server: {self.url}",
                    where="[warehouse] engine_url",
                    hint='write it like "sc://host:15002"',
                ) from error
            raise Refused(str(error).splitlines()[0]) from error

    def _gone(self, error: Any) -> WarehouseError:
        reason = (error.details() or str(error.code())).splitlines()[0]
        return WarehouseError(
            f"the engine does not answer: {reason}",
            where=self.url,
            hint="start its server and build again; the last build is whole",
        )
