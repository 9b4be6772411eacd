"""Folders of photos, painted in one blend of styles."""

from arbitrary_nst.batch.folder import BatchReport, num_cores, stylize_folder

__all__ = ["BatchReport", "num_cores", "stylize_folder"]
