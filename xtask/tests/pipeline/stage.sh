#!/bin/sh
# Stands in for any stage. What it writes follows from its arguments, from its inputs, and from nothing else.
# JOURNAL gets its name; FAIL names a stage that fails, and HANG one that waits until GATE is opened.
set -e
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
  for input in $inputs; do find "$input" -type f ! -name '.*' ! -name 'checkpoint-*' | sort | xargs cat; done
} | cksum > "$file"
