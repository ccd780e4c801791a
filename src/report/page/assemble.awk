# Makes one self-contained page of report.html: each line that names a style sheet or a script gives way to that file.
#
#   awk -v folder=src/report/page -f src/report/page/assemble.awk src/report/page/report.html
#
# The line <script type="application/json" id="data"></script> stays: the program puts the data between its tags.

function insert(element, name,    line, path) {
    path = folder "/" name
    print "<" element ">"
    while ((status = getline line <path) > 0) print line
    if (status < 0) {
        print "assemble.awk: cannot read " path >"/dev/stderr"
        exit 1
    }
    close(path)
    print "</" element ">"
}

/^<link rel="stylesheet" href="/ { split($0, words, "\""); insert("style", words[4]); next }
/^<script src="/ { split($0, words, "\""); insert("script", words[2]); next }
{ print }
