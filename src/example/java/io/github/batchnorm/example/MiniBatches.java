package io.github.batchnorm.example;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Mini-batches without end: each epoch deals out all images in a new order.
 *
 * <p>All batches have the full size. What is left at the end of an epoch (20 of 8,000 images in
 * batches of 60) is dropped, other images each time; batch norm could not be trained on a rest of
 * one image, nor well on a rest of few.
 */
final class MiniBatches {
  private final int size;
  private final Random random;
  private final int[] order; // the numbers of all images
  private int used;

  /**
   * Starts the first epoch.
   *
   * @param images how many there are, at least {@code size}
   * @param size the size of a batch
   * @param random draws the order
   */
  MiniBatches(int images, int size, Random random) {
    this.size = size;
    this.random = random;
    order = IntStream.range(0, images).toArray();
    shuffle();
  }

  /** Deals the numbers of the next images, shape (size). */
  int[] next() {
    if (used + size > order.length) {
      shuffle();
      used = 0;
    }
    used += size;
    return Arrays.copyOfRange(order, used - size, used);
  }

  private void shuffle() {
    for (int last = order.length - 1; last > 0; last--) {
      int other = random.nextInt(last + 1);
      int image = order[other];
      order[other] = order[last];
      order[last] = image;
    }
  }
}
