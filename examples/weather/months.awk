# Reads date,precipitation,temp_max,temp_min,wind,weather; prints one line a month.
# A day that is not six fields stops everything: half a month is worse than none.
BEGIN { FS = ","; OFS = "," }
NR == 1 {
    if ($0 !~ /^date,precipitation,temp_max,temp_min,wind,weather\r?$/) fail("unexpected heading: " $0)
    next
}
NF != 6 || $1 !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ { fail("line " NR ": not a day: " $0) }
{
    month = substr($1, 1, 7)
    if (!(month in days)) order[++count] = month
    days[month]++
    rain[month] += $2
    high[month] += $3
    low[month] += $4
    if ($2 > 0) wet[month]++
}
END {
    if (failed) exit 65
    print "month,days,wet_days,rain_mm,mean_high_c,mean_low_c"
    for (i = 1; i <= count; i++) {
        m = order[i]
        print m, days[m], wet[m] + 0, sprintf("%.1f", rain[m]), \
            sprintf("%.1f", high[m] / days[m]), sprintf("%.1f", low[m] / days[m])
    }
}
function fail(message) {
    print message > "/dev/stderr"
    failed = 1
    exit 65
}
