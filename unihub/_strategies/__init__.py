"""One class for each upstream call: ``load(plan)`` gives a model. They are imported when the matrix names them."""
