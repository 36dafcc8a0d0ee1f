# The table of scripts/claims: input the claims, in $ARGS.named every summary they name, in $metrics what "one", "all" and so
# on are. SPDX-License-Identifier: Apache-2.0
def summary: $ARGS.named[.file | gsub("[^a-z0-9]"; "_")][0];
def fail($what): error("claims: no \($what) in " + .file);
def number: (. * 1000 | round) as $n | (if $n < 0 then "-" else "" end) + "\($n / 1000 | fabs)" |
  if test("\\.") then . + "000"[0:3 - (split(".")[1] | length)] else . + ".000" end;
def signed: if . >= 0 then "+" + number else number end;
def interval($v; $point; f): "\($v[$point] | f) [\($v.lo | f), \($v.hi | f)]";

# {ours, holds, fails} of each comparison
def pair_parts: . as $c | [$c.pairs[] as $p | $c.metrics[] as $m |
  ($c | summary.paired[$p][$c.split][$m] // ($c | fail("\($p) \($c.split) \($m)"))) as $d |
  {ours: ("\($m) \(interval($d; "diff"; signed))" + (if ($c.pairs | length) > 1 then " (\($p))" else "" end)),
   holds: (if $c.expect == "above" then $d.lo > 0 elif $c.expect == "below" then $d.hi < 0 else $d.hi >= 0 end),
   fails: (if $c.expect == "below" then $d.lo > 0 else $d.hi < 0 end)}];
def in_group($by; $part; $system; $metric): . as $c |
  (summary.groups[$by][$c.split][$part] // ($c | fail("group \($part) of \($by)"))) as $g |
  ($g.systems[$system][$metric] // ($c | fail("\($system) \($metric)"))) + {n: $g.n};
def group_parts: . as $c | [$c.metrics[] as $m |
  in_group($c.groups; $c.lower; $c.system; $m) as $low | in_group($c.groups; $c.higher; $c.system; $m) as $high |
  {ours: "\($m): \($c.lower) \(interval($low; "mean"; number)) (\($low.n)), \($c.higher) \(interval($high; "mean"; number)) (\($high.n))",
   holds: ($low.hi < $high.lo), fails: ($high.hi < $low.lo)}];
def each_parts: . as $c | [$c.each[] as $by | ($c | summary.groups[$by][$c.split] // fail("groups by \($by)") | keys[]) as $part |
  $c.metrics[] as $m | in_group($by; $part; $c.system; $m) as $a | in_group($by; $part; $c.other; $m) as $b |
  {ours: "\($part): \($a.mean | number) against \($b.mean | number) (\($a.n))", holds: ($b.hi < $a.lo), fails: ($a.hi < $b.lo)}];
def parts: if .pairs then pair_parts elif .groups then group_parts else each_parts end;
def verdict: if any(.fails) then "**does not hold**" elif all(.holds) then "holds" else "open: intervals overlap or hold 0" end;
def in_numbers: if .metrics then .metrics |= ($metrics[0][.] // error("claims: no metrics for \(.)")) else . end |
  if .note then .note |= $metrics[0].notes[.] else . end;
def line: if .untestable then [.figure, .claim, .paper, "", "not testable here: \(.untestable)"]
  else . as $c | parts as $p | [.figure, .claim, .paper, ([$p[].ours] | join("; ")),
    ($p | verdict) + (if $c.note then " (\($c.note))" else "" end)] end;

"| figure | claim | paper | ours, 95% interval | verdict |\n| --- | --- | --- | --- | --- |",
(.[] | "| " + (in_numbers | line | join(" | ")) + " |")
