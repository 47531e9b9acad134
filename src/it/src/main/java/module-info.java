/** Opens nothing: Jackson needs no more than the library's exported package. */
module consumer {
  requires com.fasterxml.jackson.databind;
  requires io.github.batchnorm;
}
