#!/bin/sh
# Write the field test's picture: docs/field_picture.sh PROGRAMS FILE. A field test of the demo robot, in a folder that goes afterwards.
set -eu
. "$(dirname "$0")/desk.sh"

cat >pack.yaml <<'PACK'
format: 1
name: table
title: Detection on a table
version: "1"
roles: {engineer: builds it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: fence, title: The fence is shut, kind: confirmed, statement: The fence around the table is shut.}
phases:
  - id: lab
    title: Laboratory
    trial: One object, laid at a position drawn at random beforehand, shown for five seconds
    success: It is reported with its right label
    aborted: excluded
    conditions:
      - {id: light, title: Light, values: [bright, dim], required: true}
      - {id: object, title: What was shown}
    entry: [{item: fence}]
    holding:
      - {id: link, title: The robot is heard, check: link, for: 5 s}
      - {id: bundle, title: The campaign's bundle runs, check: bundle, for: 5 s}
      - {id: worker, title: Inference runs, check: worker, for: 10 s}
      - {id: camera, title: The camera is alive, check: camera, for: 5 s}
    questions:
      - id: accuracy
        title: More than 60 % of the objects are found
        denominator: objects shown
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 60, unit: "%"}
        plan: {look: sequential, n: 60, expected: 85, power: 0.8}
      - id: wrong_boxes
        title: Fewer than 5 % of the boxes are wrong
        denominator: boxes reported in frames drawn at random
        criterion: {metric: false_positive_rate, comparison: "<", threshold: 5, unit: "%", margin: 1}
        plan: {look: fixed, n: 130, expected: 1, power: 0.8}
    stop:
      - {id: in_a_row, title: Three objects missed one after the other, count: failures_in_a_row, at: 3}
      - {id: crashes, title: The worker crashed twice, count: crashes, at: 2}
    planned_n: 60
  - id: office
    title: Office
    trial: One object on a desk that is in use
    success: It is reported with its right label
    entry: [{phase: lab}]
    questions:
      - id: accuracy
        title: More than 50 % of the objects are found
        denominator: objects shown
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 50, unit: "%"}
        plan: {look: fixed, n: 30, expected: 80, power: 0.8}
    planned_n: 30
PACK
fieldgate campaign new demo --bundle current --pack pack.yaml
fieldgate campaign confirm fence
fieldgate phase begin lab
fieldgate session begin -c light=bright -c object=cup
for outcome in success success success failure success success aborted success success success; do
	fieldgate trial log "$outcome"
done
fieldgate trial log failure -c light=dim
fieldgate trial undo
fieldgate trial log success -c light=dim --note "behind the lamp"
fieldgate campaign open demo --screen field --picture "$file"
