# Sourced by scep_crashloop.sh: devices in the background that ask until they have a certificate, as a patient user
# makes them, and write down what they were told.
#
# A device's tag names its files and is its transaction.  ./asked: what was answered when, a line each; ./enrolments:
# who asked for what; ./running: who still does.  Devices end when that folder is gone.
tempers=(windows apple android cisco strongswan mikrotik certmonger)
mkdir running won
: >asked
: >enrolments
device_pids=()

# ---- one question ------------------------------------------------------------------------------------------
answer_of() { # TAG RC: the word for it in ./asked
    case $2 in
    0) echo "SUCCESS" ;;
    2) grep -q 'failInfo=4' "devices/$1.out" && echo "FORGOTTEN" || echo "FAILURE" ;; # 4: no such transaction
    3) echo "PENDING" ;;
    *) echo "NOTHING" ;;
    esac
}
asks() { # TAG OPTION...: once, polling a little; $answer
    local tag=$1 from serial
    shift
    from=$(now_ms)
    "$B/scep-device" enrol --transaction "t-$tag" --use-key "devices/$tag.key" --out "devices/$tag.pem" \
        --csrout "devices/$tag.csr" --poll 2 "$@" >"devices/$tag.out" 2>&1
    answer=$(answer_of "$tag" $?)
    serial=$(sed -n 's/.*serial=\([0-9A-F]*\) .*/\1/p' "devices/$tag.out")
    printf '%s\t%s\t%s\t%s\t%s\n' "$tag" "$from" "$(now_ms)" "$answer" "$serial" >>asked
}
keeps_asking() { # TAG OPTION...: until it has a certificate, or is refused; the same request every time
    while [ -d running ]; do
        asks "$@"
        case $answer in SUCCESS | FAILURE) return ;; esac
        sleep "0.$((15 + RANDOM % 30))"
    done
}

# ---- who it is ---------------------------------------------------------------------------------------------
enrols() { # TAG CN KIND GROUP: makes its key; what it is goes into ./enrolments once its request is made
    openssl genrsa -out "devices/$1.key" 2048 2>"devices/$1.err" || return
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>enrolments
}
is_given_challenge() { # CN
    ctl scep-challenge "{\"subject\":\"CN=$1\"}" >"devices/$1.challenge"
    echo >>"devices/$1.challenge"
}
first_options() { # CN URL TEMPER: $options
    options=(--url "$2" --temper "$3" --cn "$1" --challenge-file "devices/$1.challenge")
}

# Each kind: a certificate, and what is peculiar to the kind.
plain() { # TAG URL TEMPER
    is_given_challenge "$1"
    enrols "$1" "$1" "${4:-plain}" "$1"
    first_options "$@"
    keeps_asking "$1" "${options[@]}"
}
again() { # ... and the same message again, twice: the answer was lost, or the device is
    plain "$@" again
    keeps_asking "$1" "${options[@]}"
    keeps_asking "$1" "${options[@]}"
}
waits() { # ... once a manager has approved it
    fault ca.submit pending "\"polls\":2,\"match\":\"$1\""
    fault est.enroll pending "\"polls\":2,\"match\":\"$1\""
    plain "$@" waits
}
eager() { # two threads of one device send the same request at the same time
    local twin
    is_given_challenge "$1"
    enrols "$1" "$1" eager "$1"
    first_options "$@"
    "$B/scep-device" enrol --transaction "t-$1" --use-key "devices/$1.key" "${options[@]}" --poll 2 \
        >"devices/$1.twin" 2>&1 &
    twin=$!
    keeps_asking "$1" "${options[@]}"
    wait "$twin"
}
thieves() { # two keys, one challenge: one of them may have a certificate; or both wait at first, for Intune is busy
    local one
    is_given_challenge "$1"
    [ $((RANDOM % 2)) -ne 0 ] || fault intune.validate http-503 "\"count\":2,\"retryAfter\":1,\"match\":\"$1\""
    for one in a b; do
        (
            enrols "$1$one" "$1" thieves "$1"
            first_options "$@"
            while [ -d running ]; do
                asks "$1$one" "${options[@]}"
                [ "$answer" != SUCCESS ] || { touch "won/$1"; break; }
                [ "$answer" != FAILURE ] || [ ! -e "won/$1" ] || break
                sleep "0.$((15 + RANDOM % 30))"
            done
        ) &
    done
    wait
}
renews() { # ... and later another one, for another key, by this one
    # shellcheck disable=SC2154
    plain "$1" "$url_adcs" "$3" renews
    [ "$answer" = SUCCESS ] || return
    enrols "$1r" "$1" renewal "$1r"
    options=(--url "$url_renew" --temper "$3" --cn "$1" --renew-with "devices/$1.pem" --renew-key "devices/$1.key")
    keeps_asking "$1r" "${options[@]}"
    [ "$answer" != SUCCESS ] || keeps_asking "$1r" "${options[@]}"
}

device_start() { # KIND TAG [CA]: in the background
    local kind=$1 tag=$2 url=url_${3:-adcs} temper=${tempers[RANDOM % ${#tempers[@]}]} seed_of_it=$RANDOM
    touch "running/$tag"
    (
        trap - EXIT INT TERM HUP
        RANDOM=$seed_of_it
        "$kind" "$tag" "${!url}" "$temper"
        rm -f "running/$tag"
    ) 2>>devices/err &
    device_pids+=($!)
    alive[$!]=device
}
devices_running() { # how many
    local all=(running/*)
    [ -e "${all[0]}" ] && echo "${#all[@]}" || echo 0
}
none_running() {
    is "$(devices_running)" 0
}
devices_reap() { # those that have ended
    local p left=()
    for p in "${device_pids[@]}"; do
        if kill -0 "$p" 2>/dev/null; then
            left+=("$p")
        else
            wait "$p" 2>/dev/null
            unset "alive[$p]"
        fi
    done
    device_pids=("${left[@]}")
}
