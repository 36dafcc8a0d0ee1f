# Verdicts of scripts/claims: input the claims, in $ARGS.named every summary they name, in $metrics what "one", "all" and so on
# are, in $format json or markdown. SPDX-License-Identifier: Apache-2.0
def summary: $ARGS.named[.file | gsub("[^a-z0-9]"; "_")][0];
def fail($what): error("claims: no \($what) in " + .file);

# --- comparisons: {what, ours, lo, hi, n, holds, fails} of each that a claim is about ------------------------------------

def pair_parts: . as $c | [$c.pairs[] as $p | $c.metrics[] as $m |
  ($c | summary.paired[$p][$c.split][$m] // ($c | fail("\($p) \($c.split) \($m)"))) as $d |
  {what: ($m + (if ($c.pairs | length) > 1 then " (\($p))" else "" end)), ours: $d.diff, lo: $d.lo, hi: $d.hi, n: $d.n, difference: true,
   holds: (if $c.expect == "above" then $d.lo > 0 elif $c.expect == "below" then $d.hi < 0 else $d.hi >= 0 end),
   fails: (if $c.expect == "below" then $d.lo > 0 else $d.hi < 0 end)}];
def in_group($by; $part; $system; $metric): . as $c |
  (summary.groups[$by][$c.split][$part] // ($c | fail("group \($part) of \($by)"))) as $g |
  ($g.systems[$system][$metric] // ($c | fail("\($system) \($metric)"))) |
  {what: "\($metric), \($part), \($system)", ours: .mean, lo, hi, n: $g.n};
# Two means: the first has to lie below the second.
def ordered($low; $high): [$low, $high | . + {holds: ($low.hi < $high.lo), fails: ($high.hi < $low.lo)}];
def group_parts: . as $c | [$c.metrics[] as $m |
  ordered(in_group($c.groups; $c.lower; $c.system; $m); in_group($c.groups; $c.higher; $c.system; $m)) | .[]];
def each_parts: . as $c | [$c.each[] as $by | ($c | summary.groups[$by][$c.split] // fail("groups by \($by)") | keys[]) as $part |
  $c.metrics[] as $m | in_group($by; $part; $c.other; $m) as $other |
  in_group($by; $part; $c.system; $m) | . + {what: "\($m), \($part)", against: $other.ours, holds: ($other.hi < .lo), fails: (.hi < $other.lo)}];
def parts: if .pairs then pair_parts elif .groups then group_parts else each_parts end;

# --- verdicts ------------------------------------------------------------------------------------------------------------

def judged: if any(.fails) then "does not hold" elif all(.holds) then "holds" else "open" end;
def in_numbers: if .metrics then .metrics |= ($metrics[0][.] // error("claims: no metrics for \(.)")) else . end;
def verdict: {figure, claim, paper} + (if .untestable then {ours: null, lo: null, hi: null, verdict: "not testable here", why: .untestable, parts: []}
  else parts as $parts | ($parts | judged) as $verdict | ($parts[0] | {ours, lo, hi}) +
    {verdict: $verdict, parts: $parts, why: (if .note then $metrics[0].notes[.note] elif $verdict == "open" then "intervals overlap or hold 0" else null end)} end);

# --- the table -----------------------------------------------------------------------------------------------------------

def number: (. * 1000 | round) as $n | (if $n < 0 then "-" else "" end) + "\($n / 1000 | fabs)" |
  if test("\\.") then . + "000"[0:3 - (split(".")[1] | length)] else . + ".000" end;
def signed: if . >= 0 then "+" + number else number end;
def written: if .difference then "\(.what) \(.ours | signed) [\(.lo | signed), \(.hi | signed)]"
  else "\(.what) (\(.n)) \(.ours | number) [\(.lo | number), \(.hi | number)]" + (if .against then " against \(.against | number)" else "" end) end;
def bold: if .verdict == "does not hold" then "**does not hold**" else .verdict end + (if .why then ": \(.why)" else "" end);
def line: "| " + ([.figure, .claim, .paper, ([.parts[] | written] | join("; ")), bold] | join(" | ")) + " |";

map(in_numbers | verdict) | if $format == "json" then . else
  "| figure | claim | paper | ours, 95% interval | verdict |\n| --- | --- | --- | --- | --- |", (.[] | line) end
