module consumer {
  requires io.github.batchnorm;
}
