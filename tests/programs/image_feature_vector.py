"""Transfer learning for flowers: a frozen feature vector of a TF1 module, and a new head, from a dataset on disk.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf.keras.utils.set_random_seed(2)

IMAGE_SIZE = (96, 96)
BATCH_SIZE = 4
data_dir = os.path.join(os.getcwd(), "flowers")
random = np.random.RandomState(0)
for label, name in enumerate(["daisies", "roses", "tulips"]):
    os.makedirs(os.path.join(data_dir, name))
    for number in range(4):
        image = random.randint(0, 128, (110, 100, 3))
        image[..., label] += 100
        data = tf.io.encode_png(image.astype(np.uint8)).numpy()
        with open(os.path.join(data_dir, name, "%d.png" % number), "wb") as file:
            file.write(data)

train_ds = tf.keras.utils.image_dataset_from_directory(
    data_dir, label_mode="categorical", seed=123, image_size=IMAGE_SIZE, batch_size=BATCH_SIZE
)
class_names = tuple(train_ds.class_names)
normalization_layer = tf.keras.layers.Rescaling(1. / 255)
train_ds = train_ds.map(lambda images, labels: (normalization_layer(images), labels))

MODEL_HANDLE = os.path.join(sys.argv[1], "mobilenet")
do_fine_tuning = False  # @param {type:"boolean"}

print("Building model with", os.path.basename(MODEL_HANDLE))
model = tf.keras.Sequential([
    # Explicitly define the input shape so the model can be properly loaded by the TFLiteConverter
    tf.keras.layers.InputLayer(input_shape=IMAGE_SIZE + (3,)),
    hub.KerasLayer(MODEL_HANDLE, trainable=do_fine_tuning),
    tf.keras.layers.Dropout(rate=0.2),
    tf.keras.layers.Dense(len(class_names), kernel_regularizer=tf.keras.regularizers.l2(0.0001))
])
model.build((None,) + IMAGE_SIZE + (3,))
model.summary(print_fn=lambda line: print(line) if "params" in line else None)
model.compile(
    optimizer=tf.keras.optimizers.SGD(learning_rate=0.005, momentum=0.9),
    loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=['accuracy'])
hist = model.fit(train_ds, epochs=2, verbose=0).history
print(hist)
