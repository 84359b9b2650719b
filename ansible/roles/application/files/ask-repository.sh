# Fetch the index of our own repository only, and check that it holds exactly the package that the recipe names.
# Arguments: name, version, SHA-256.

name=$1 version=$2 sha256=$3

apt-get -q update \
    -o Dir::Etc::sourcelist=sources.list.d/bakeroll.sources \
    -o Dir::Etc::sourceparts=- \
    -o APT::Update::Error-Mode=any

found=$(apt-cache show --no-all-versions "$name=$version" 2>&1 | sed -n 's/^SHA256: //p')
if [ "$found" != "$sha256" ]; then
    echo "the repository holds ${found:-no package $name $version}, and the recipe names $sha256" >&2
    exit 1
fi

# If the package needs more than the base image has, apt must read all of the archive's lists.
if ! apt-get -q install --simulate --no-install-recommends "$name=$version" > /dev/null 2>&1; then
    mv /var/lib/apt/base-lists/* /var/lib/apt/lists/
fi
