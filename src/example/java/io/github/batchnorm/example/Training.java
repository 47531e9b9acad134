package io.github.batchnorm.example;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * The training of one network: plain gradient descent on mini-batches, measured as it goes.
 *
 * @param steps the number of mini-batches
 * @param learningRate the factor of the gradient in each step
 * @param seed fixes the weights at the start and the order of the images; everything else follows
 */
record Training(int steps, double learningRate, long seed) {
  static final int BATCH_SIZE = 60; // the paper's

  /**
   * Trains a new network. The same seed gives the network with batch norm and the one without the
   * same weights at the start and the same mini-batches.
   *
   * @param interrupted asked before each step: whether to stop there
   * @return the measurements, in the order of the steps
   */
  List<Measurement> run(
      boolean batchNorm, Mnist digits, Progress progress, BooleanSupplier interrupted) {
    Random random = new Random(seed);
    Network network = new Network(batchNorm, random);
    MiniBatches batches = new MiniBatches(digits.train().count(), BATCH_SIZE, random);
    Schedule schedule = new Schedule(steps);
    List<Measurement> measurements = new ArrayList<>();
    for (int step = 1; step <= steps && !interrupted.getAsBoolean(); step++) {
      int[] batch = batches.next();
      network.train(digits.train().images(batch), digits.train().labels(batch), learningRate);
      if (schedule.isPoint(step)) {
        measurements.add(Measurement.of(network, digits.test(), step));
        progress.measured(measurements.get(measurements.size() - 1));
      }
      progress.step(step);
    }
    return measurements;
  }
}
