# Makes hashes of 20 000 entries: many small writes all over the memory. Prints a sum of what they held.
my $sum = 0;
for my $pass ( 1 .. 5 ) {
    my %squares;
    $squares{$_} = ( $_ * $_ + $pass ) % 65537 for 1 .. 20_000;
    $sum = ( $sum * 31 + $squares{$_} ) % 4294967291 for 1 .. 20_000;
}
print "$sum\n";
