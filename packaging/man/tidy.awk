# What scdoc writes, without the empty paragraphs that mandoc -T lint complains of.
/^\.P$/ { held = 1; next }
/^\.RE$/ { print; last = ""; next } # the paragraph that ends inside begins behind it
held && !/^\.(SH|SS|RS|TH)/ && last !~ /^\.(SH|SS|TH|RS)/ { print ".P" }
{ held = 0; print; last = $0 }
