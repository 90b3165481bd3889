"""unihub in engines that run over many machines, on their own extension points; each needs an extra of its name.

Nothing here is imported before it is asked for: ``unihub.integrations.beam`` is for Apache Beam (``[beam]``),
``unihub.integrations.spark`` for Spark (``[spark]``).
"""
