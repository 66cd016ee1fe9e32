"""Right functions that the notebooks teach and that nothing else uses: one file for each notebook."""
