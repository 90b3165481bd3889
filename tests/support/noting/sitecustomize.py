"""Notes each model that ``unihub.load`` loads in a Python process which has this directory on its path."""

import os

import unihub

if "UNIHUB_LOADS" in os.environ:
    load = unihub.load

    def noting(handle, *args, **options):
        model = load(handle, *args, **options)
        with open(os.environ["UNIHUB_LOADS"], "a", encoding="utf-8") as file:
            file.write("{} {}\n".format(os.getpid(), handle))
        return model

    unihub.load = noting
