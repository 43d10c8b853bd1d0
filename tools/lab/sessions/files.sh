# shellcheck shell=bash
# Programs that move files and shells: ssh, FTP in its four ways, TFTP.

# The files that the servers offer.
fill_share() {
  rm -rf "$WORK/share" # a visitor may not overwrite what an earlier one left
  mkdir -p "$WORK/share/incoming"
  printf 'Line %03d of a file that travels through the lab.\n' {1..240} >"$WORK/share/file.txt"
  head -c 6000 "$WORK/share/file.txt" >"$WORK/upload.txt"
  chmod 755 "$WORK" "$WORK/share"
  chmod 777 "$WORK/share/incoming"
}

session ssh "ssh with a throw-away key: log in, one command, 20 kB each way"
run_ssh() {
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$WORK/host"
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$WORK/user"
  cp "$WORK/user.pub" "$WORK/authorized"
  mkdir -p /run/sshd
  serve server 22 /usr/sbin/sshd -D -e -f /dev/null -h "$WORK/host" -o UsePAM=no \
    -o StrictModes=no -o PidFile=none -o AuthorizedKeysFile="$WORK/authorized" -o UseDNS=no
  shell 'true'
  head -c 20000 /dev/zero | shell 'cat'
}

shell() {
  client ssh -F none -i "$WORK/user" -o BatchMode=yes -o UserKnownHostsFile=/dev/null \
    -o StrictHostKeyChecking=no "root@$SERVER4" "$@"
}

ftp_server() {
  fill_share
  cat >"$WORK/vsftpd.conf" <<TEXT
listen_ipv6=YES
background=NO
anonymous_enable=YES
anon_root=$WORK/share
anon_upload_enable=YES
write_enable=YES
anon_umask=022
connect_from_port_20=YES
hide_ids=YES
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
xferlog_enable=NO
secure_chroot_dir=$WORK/empty
ftpd_banner=lab
TEXT
  mkdir -p "$WORK/empty"
  serve server 21 vsftpd "$WORK/vsftpd.conf"
}

# ftp_visit HOST CURL-ARGUMENTS...: a listing, a download and an upload.
ftp_visit() {
  local host=$1
  shift
  ftp_server
  fetch "$@" "ftp://$host/" --next -sS -o /dev/null "$@" "ftp://$host/file.txt"
  fetch "$@" -T "$WORK/upload.txt" "ftp://$host/incoming/"
}

session ftp-active "curl over FTP, active (PORT): list, download, upload"
run_ftp_active() { ftp_visit "$SERVER4" --disable-eprt --ftp-port -; }

session ftp-active-v6 "curl over FTP and IPv6, active (EPRT)"
run_ftp_active_v6() { ftp_visit "[$SERVER6]" --ftp-port -; }

session ftp-passive "curl over FTP, passive (PASV): list, download, upload"
run_ftp_passive() { ftp_visit "$SERVER4" --disable-epsv; }

session ftp-passive-v6 "curl over FTP and IPv6, passive (EPSV)"
run_ftp_passive_v6() { ftp_visit "[$SERVER6]"; }

session tftp "tftp: get, put, a missing file; with the default and a larger block size"
run_tftp() {
  fill_share
  serve server 69/udp in.tftpd -L --secure --create --permissive -u root -a "$SERVER4:69" \
    "$WORK/share"
  cd "$WORK" || return
  client tftp "$SERVER4" -m binary -c get file.txt
  client tftp "$SERVER4" -m binary -c put upload.txt incoming/upload.txt
  client tftp "$SERVER4" -m binary -c get missing.txt || true
  fetch --tftp-blksize 1428 "tftp://$SERVER4/file.txt"
}
