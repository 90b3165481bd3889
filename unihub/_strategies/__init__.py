"""One class for each upstream call: ``load(plan)`` gives a model. The matrix names them; nothing imports them before."""
