"""Tables as Parquet files, where the program and the engine's workers both reach them.

The lake holds one folder for each table of each build: ``<lake>/<schema>/<table>/<build>``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigurationError, WarehouseError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Lake"]

#: Rows in a group of a Parquet file: what one worker reads at a time.
_ROWS_IN_GROUP = 500_000


class Lake:
    """The folders of one build below ``root``: a path, or an address such as ``s3://bucket/folder``.

    Raises:
        ConfigurationError: the address is malformed or of an unknown kind.
    """

    def __init__(self, root: str, build_id: str) -> None:
        from pyarrow import fs

        self._build_id = build_id
        self._is_local = "://" not in root
        self.root = Path(root).absolute().as_uri() if self._is_local else root.rstrip("/")
        try:
            self._files, self._path = fs.FileSystem.from_uri(self.root)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the lake cannot be opened: {error}",
                where="[warehouse] lake",
                hint='name a folder, or an address such as "s3://bucket/folder"',
            ) from error

    def folder(self, table: str) -> str:
        """Return the address of a table's folder (``schema.table``) as the engine opens it."""
        return f"{self.root}/{self._relative(table)}"

    def write(self, table: str, reader: pyarrow.RecordBatchReader) -> None:
        """Store rows in the folder of a table.

        Raises:
            WarehouseError: they cannot be stored.
        """
        from pyarrow import parquet

        folder = f"{self._path}/{self._relative(table)}"
        try:
            self._files.create_dir(folder, recursive=True)
            with parquet.ParquetWriter(f"{folder}/rows.parquet", reader.schema, filesystem=self._files) as file:
                for batch in reader:
                    file.write_batch(batch, row_group_size=_ROWS_IN_GROUP)
        except OSError as error:
            raise self._failed(error) from error

    def holds(self, table: str) -> bool:
        """Return whether a table has a file."""
        from pyarrow import fs

        folder = fs.FileSelector(f"{self._path}/{self._relative(table)}", allow_not_found=True)
        return any(info.base_name.endswith(".parquet") for info in self._files.get_file_info(folder))

    def read(self, table: str) -> Any:
        """Return the paths of the files of a table, or a data set of pyarrow if the lake is not a folder.

        Raises:
            WarehouseError: the folder cannot be read.
        """
        from pyarrow import dataset

        if self._is_local:
            return sorted(Path(self._path, self._relative(table)).glob("*.parquet"))
        try:
            return dataset.dataset(f"{self._path}/{self._relative(table)}", filesystem=self._files, format="parquet")
        except OSError as error:
            raise self._failed(error) from error

    def remove(self, table: str) -> None:
        """Delete the folder of a table, if there is one."""
        from pyarrow import fs

        folder = f"{self._path}/{self._relative(table)}"
        if self._files.get_file_info(folder).type == fs.FileType.Directory:
            self._files.delete_dir(folder)

    def _relative(self, table: str) -> str:
        return f"{table.replace('.', '/')}/{self._build_id}"

    def _failed(self, error: OSError) -> WarehouseError:
        return WarehouseError(
            f"the lake cannot be used: {str(error).splitlines()[0]}",
            where=self.root,
            hint="check [warehouse] lake, its space and its permissions, then build again; the last build is whole",
        )
