#!/bin/sh
# outcry keys COMMAND, on the directory of all keys; then every role has its own secret ones and
# everybody's public ones, in a directory of its own, and what has gone from the first goes there.
#
#   share_keys.sh make | list | rotate NAME | promote NAME | retire NAME
set -eu

all=/etc/outcry/keys/all
command=$1
shift
outcry keys "$command" "$all" "$@"

share() {
    for file in "$all/"*.public "$all/$1.secret" "$all/$1.next.secret"; do
        [ -e "$file" ] || continue
        cmp -s "$file" "$2/${file##*/}" && continue
        # Its name is there only when all of it is.
        install -m "$(stat -c %a "$file")" "$file" "$2/.${file##*/}"
        mv "$2/.${file##*/}" "$2/${file##*/}"
    done
    for file in "$2/"*.public "$2/"*.secret; do
        [ -e "$all/${file##*/}" ] || rm -f "$file"
    done
}

for directory in /etc/outcry/keys/*/; do
    directory=${directory%/}
    [ "$directory" = "$all" ] || share "${directory##*/}" "$directory"
done
