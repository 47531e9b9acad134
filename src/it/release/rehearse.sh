#!/usr/bin/env bash
# Rehearses a release: all but the upload. Needs JDK 17 or later, Maven and GnuPG:
#
#   bash src/it/release/rehearse.sh
#
# Works in a temporary folder on copies of the sources. The key that signs is made there and goes with it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
command -v gpg > /dev/null || { echo "gpg is missing: install GnuPG" >&2; exit 1; }
work=$(mktemp -d)
export GNUPGHOME=$work/gnupg
trap 'gpgconf --kill all || true; rm -rf "$work"' EXIT
maven() { mvn -B -ntp -q "$@"; }
done_() { printf '%-11s %s\n' "$1" "$2"; }

# of the next release, where the version ends in -SNAPSHOT
release_pom() { sed 's/-SNAPSHOT<\/version>/<\/version>/' "$1"; }

mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Rehearsal <rehearsal@example.org>' ed25519 sign 1d \
  2> "$work/gpg.log" || { cat "$work/gpg.log" >&2; exit 1; }
done_ key "ed25519, made for this run"

for locale in C C.UTF-8; do
  copy=$work/$locale
  mkdir -p "$copy/src"
  cp -r LICENSE "$copy"
  cp -r src/main "$copy/src"
  release_pom pom.xml > "$copy/pom.xml"
  LC_ALL=$locale maven -f "$copy" -Prelease deploy -Dmaven.test.skip -Djacoco.skip -Dspotless.check.skip \
    -DaltDeploymentRepository="rehearsal::file://$copy/repository" \
    -Drelease.url=https://example.org/batchnorm -Drelease.scm=https://example.org/batchnorm.git \
    -Drelease.developer=Rehearsal
  cd "$copy"/repository/io/github/batchnorm/batchnorm/*/
  sha256sum ./*.jar ./*.pom ./*-cyclonedx.xml > "$copy/sums"
  cd - > /dev/null
done
cmp "$work/C/sums" "$work/C.UTF-8/sums"
done_ built "twice, in two folders and two locales, with the same bytes: $(wc -l < "$work/C/sums") files"

repository=$work/C/repository
for signature in "$repository"/io/github/batchnorm/batchnorm/*/*.asc; do
  gpg --batch --quiet --verify "$signature" "${signature%.asc}" 2> "$work/gpg.log" || { cat "$work/gpg.log" >&2; exit 1; }
done
java src/it/release/CheckRepository.java "$repository"

java -cp "$work/C/target/classes" src/test/resources/io/github/batchnorm/saved/Save.java "$work/saved"
done_ saved "what later versions must load: $(ls "$work/saved" | wc -l) files"

mkdir -p "$work/consumer/test"
cp -r src/it src/site "$work/consumer"
cp -r src/test/resources "$work/consumer/test"
release_pom src/it/pom.xml > "$work/consumer/it/pom.xml"
cat > "$work/settings.xml" <<END
<settings>
  <profiles>
    <profile>
      <id>rehearsal</id>
      <repositories>
        <repository>
          <id>rehearsal</id>
          <url>file://$repository</url>
          <releases><checksumPolicy>fail</checksumPolicy></releases>
        </repository>
      </repositories>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>rehearsal</activeProfile></activeProfiles>
</settings>
END
maven -f "$work/consumer/it" -gs "$work/settings.xml" -Dmaven.repo.local="$work/local" clean test > "$work/consumer.log" ||
  { cat "$work/consumer.log"; exit 1; }
done_ consumer "src/it, its local repository empty at first: builds, and its tests pass on module path and class path"
