"""Embeds a column of texts in Spark, in two executors, and says of each row without an embedding why it has none.

Needs the extra for Spark, a TensorFlow 2, and Java: pip install 'unihub[spark]' tensorflow

    python examples/spark_embeddings.py [the cluster, by default local-cluster[2,1,2048]]
"""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession

from unihub.integrations.spark import predict_udf

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "text_embedding")
ROWS = [(1, "hello world"), (2, "the cat"), (3, None), (4, "of a dog nobody knows")]


def main(cluster):
    """Runs the job."""
    # Workers with the Python of the driver.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(cluster).config("spark.executor.memory", "1g")
    # Bars of progress would stand among the rows.
    spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    # Its type is read from the files of the model; the driver imports no TensorFlow.
    embed = predict_udf(MODEL, errors="return", batch_size=1024)
    rows = spark.createDataFrame(ROWS, ["number", "text"])
    results = rows.withColumn("result", embed("text"))
    embedded = results.selectExpr("number", "result.default as embedding", "result.error")
    for row in embedded.orderBy("number").collect():
        values = " ".join("{:.4f}".format(value) for value in row.embedding[:4]) if row.embedding else row.error
        print("row {}: {}".format(row.number, values))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "local-cluster[2,1,2048]")
