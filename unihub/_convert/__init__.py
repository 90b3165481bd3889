"""unihub.convert: conversion of TF1 models to TF2 SavedModels that can be fine-tuned."""
