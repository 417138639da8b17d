# Container images without a registry, as one docker-archive: sourced by tests/machine/build.
# shellcheck shell=bash

# As reproducible as the files that go in.
pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf "$2" .; }

# add_image FOLDER NAME ROOT COMMAND: the layer and the config of localhost/NAME:1, whose files are
# below ROOT, go into FOLDER, and its entry of the manifest into FOLDER/NAME.entry.
add_image() {
  local folder=$1 name=$2 root=$3 command=$4 digest
  pack "$root" "$folder/$name.layer.tar"
  digest=$(sha256sum "$folder/$name.layer.tar" | cut -d' ' -f1)
  cat >"$folder/$name.json" <<EOF
{"architecture": "$(go_architecture)", "os": "linux",
 "config": {"Env": ["PATH=/bin"], "Cmd": ["$command"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$digest"]}}
EOF
  cat >"$folder/$name.entry" <<EOF
{"Config": "$name.json", "RepoTags": ["localhost/$name:1"], "Layers": ["$name.layer.tar"]}
EOF
}

go_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

busybox_root() {
  local root=$1 busybox=$2 applet
  mkdir -p "$root"/{bin,etc,tmp}
  cp "$busybox" "$root/bin/busybox"
  for applet in $("$busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
}

# make_images TAR PAUSE BUSYBOX: localhost/pause:1, localhost/busybox:1
make_images() {
  local tar=$1 pause=$2 busybox=$3 work
  work=$(mktemp -d "$tar.XXXXXX")
  mkdir -p "$work/pause" "$work/images"
  cp "$pause" "$work/pause/pause"
  busybox_root "$work/busybox" "$busybox"
  add_image "$work/images" pause "$work/pause" /pause
  add_image "$work/images" busybox "$work/busybox" /bin/sh
  {
    echo '['
    paste -d, "$work/images/pause.entry" "$work/images/busybox.entry"
    echo ']'
  } >"$work/images/manifest.json"
  pack "$work/images" "$tar"
  rm -r "$work"
}
