#!/bin/sh
# Stands in for any stage. What it writes follows from its arguments, from its inputs, and from nothing else.
# JOURNAL gets its name; FAIL names a stage that fails, and HANG one that waits until GATE is opened.
set -e

# All files of a folder, or the one file, in the order of their names; hidden ones and checkpoints are left out.
contents() {
  if [ -f "$1" ]; then cat "$1"; fi
  for entry in "$1"/*; do
    case ${entry##*/} in
      checkpoint-*) ;;
      *) if [ -e "$entry" ]; then contents "$entry"; fi ;;
    esac
  done
}

name=${0##*/}
inputs= out= previous=
for word; do
  case $previous in
    --out | --out-dir | --cache) out=$word ;;
    --*) if [ -e "$word" ]; then inputs="$inputs $word"; fi ;;
  esac
  previous=$word
done
case $out in
  *.jsonl | *.csv | *.json) folder=${out%/*} file=$out ;;
  *) folder=$out file=$out/data ;;
esac
resumed=
if [ -e "$folder/checkpoint-1" ]; then resumed=" resumed"; fi
echo "$name$resumed" >> "$JOURNAL"
mkdir -p "$folder"
echo half > "$folder/checkpoint-1"
if [ "$name" = "$FAIL" ]; then
  echo "error: no luck" >&2
  exit 3
fi
if [ "$name" = "$HANG" ]; then
  cat "$GATE" > /dev/null &
  trap 'kill $!; echo "$name was asked" >> "$JOURNAL"; exit 7' INT TERM
  echo "$name is waiting" >&2
  wait $!
  trap - INT TERM
fi
{
  echo "$*"
  for input in $inputs; do contents "$input"; done
} | cksum > "$file"
