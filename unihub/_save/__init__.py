"""unihub.save: writing TF1 Hub modules and TF2 SavedModels."""
