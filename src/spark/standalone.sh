#!/usr/bin/env bash
# A Spark cluster on this machine, of a master and two workers, and the digits program on it. A worker
# is killed on the way; the scores still have the bits of one machine. Needs what `mvn -q -f src/spark
# package` makes.
set -euo pipefail
cd "$(dirname "$0")"

home=$(mktemp -d)
pids=()
stop() {
  kill "${pids[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$home"
}
trap stop EXIT

say() { printf '\n== %s\n' "$*"; }

# Waits until a file has a line, and prints that line.
await() { # file pattern
  for _ in $(seq 600); do
    if grep -m1 -- "$2" "$1" 2>/dev/null; then
      return
    fi
    sleep 0.2
  done
  echo "no line '$2' after 2 minutes in:" >&2
  tail -n 20 "$1" >&2
  exit 1
}

# Spark's classes come with its Maven jars: a folder of links to them is all of SPARK_HOME.
mvn ${MAVEN_ARGS:-} -B -q org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath \
  -DincludeScope=compile -Dmdep.outputFile="$home/classpath"
mkdir "$home/jars"
tr ':' '\n' < "$home/classpath" | while read -r jar; do ln -sf "$jar" "$home/jars"; done
export SPARK_HOME=$home SPARK_SCALA_VERSION=2.13 SPARK_LOCAL_IP=127.0.0.1
spark() { # class arguments
  # shellcheck disable=SC2046 # options, one a line
  exec java $(cat .mvn/jvm.config) -Xmx512m -cp "$home/jars/*" "org.apache.spark.deploy.$@"
}

worker() { # number
  spark worker.Worker --host 127.0.0.1 --webui-port 0 --cores 1 --memory 1g \
    --work-dir "$home/work$1" "$url" > "$home/worker$1.log" 2>&1 &
  pids+=($!)
}

submit() { # file for its lines
  spark SparkSubmit --master "$url" --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 \
    --conf spark.executor.memory=512m --class io.github.batchnorm.example.SparkDigits \
    target/batchnorm-spark-programs.jar --partitions 8 --steps 30 > "$1" 2> "$1.err"
}

failed() { # file
  tail -n 40 "$1.err" >&2
  exit 1
}

spark master.Master --host 127.0.0.1 --port 0 --webui-port 0 > "$home/master.log" 2>&1 &
pids+=($!)
url=$(await "$home/master.log" 'Starting Spark master at' | grep -o 'spark://[^ ]*')
worker 1
worker 2
for number in 1 2; do
  await "$home/worker$number.log" 'Successfully registered with master' > "$home/registered"
done

say "two workers, one of which is killed on the way"
(submit "$home/lines") &
submitted=$!
pids+=("$submitted")
await "$home/lines" 'training on the driver: step 15' > "$home/training"
kill -9 "${pids[2]}" # its executor ends with it
wait "$submitted" || failed "$home/lines"
grep -v 'step' "$home/lines"
grep -q ' 0 of 20,000 scores differ' "$home/lines"
