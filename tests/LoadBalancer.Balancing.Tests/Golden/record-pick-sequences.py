#!/usr/bin/env python3
"""Records which servers nginx and HAProxy pick, one request after the other, for several weights: pick-sequences.csv.

  python3 record-pick-sequences.py > pick-sequences.csv

Needs nginx and haproxy. Each runs with one worker or thread, freshly started for each line, before servers that answer their letter. Two cycles are recorded."""
import os, socket, subprocess, sys, tempfile, time
WEIGHTS = [(1, 1, 1), (5, 1, 1), (3, 2, 1), (4, 3, 2), (9, 5, 3, 1), (7, 1), (10, 3, 7, 1, 1, 4), (2, 2, 3), (50, 10, 10)]
FRONT, BACK = 28100, 28110
names = [chr(ord('a') + i) for i in range(8)]

def nginx(weights, d):
    answers = ' '.join(f'server {{ listen 127.0.0.1:{BACK + i}; location / {{ return 200 {names[i]}; }} }}' for i in range(len(weights)))
    servers = ' '.join(f'server 127.0.0.1:{BACK + i} weight={w};' for i, w in enumerate(weights))
    open(f'{d}/c', 'w').write(f'daemon off; master_process off; worker_processes 1; pid {d}/pid; error_log stderr crit; events {{}}\n'
        f'http {{ access_log off; client_body_temp_path {d}/1; proxy_temp_path {d}/2; fastcgi_temp_path {d}/3; uwsgi_temp_path {d}/4; scgi_temp_path {d}/5;\n'
        f'upstream u {{ {servers} }} server {{ listen 127.0.0.1:{FRONT}; location / {{ proxy_pass http://u; }} }} {answers} }}')
    return ['nginx', '-p', d, '-e', 'stderr', '-c', f'{d}/c']

def haproxy(algorithm):
    def write(weights, d):
        answers = '\n'.join(f'frontend f{i}\n bind 127.0.0.1:{BACK + i}\n http-request return status 200 content-type text/plain string {names[i]}' for i in range(len(weights)))
        servers = '\n'.join(f' server {names[i]} 127.0.0.1:{BACK + i} weight {w}' for i, w in enumerate(weights))
        open(f'{d}/c', 'w').write(f'global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n{answers}\n'
            f'frontend front\n bind 127.0.0.1:{FRONT}\n default_backend u\nbackend u\n balance {algorithm}\n{servers}\n')
        return ['haproxy', '-db', '-q', '-f', f'{d}/c']
    return write

def ask():
    with socket.create_connection(('127.0.0.1', FRONT), 5) as s:
        s.sendall(b'GET / HTTP/1.0\r\n\r\n'); data = b''
        while part := s.recv(4096): data += part
    return data.decode()[-1]

def record(write, weights):
    with tempfile.TemporaryDirectory() as d:
        p = subprocess.Popen(write(weights, d), env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin'})
        try:
            while True:
                try: socket.create_connection(('127.0.0.1', BACK), 1).close(); break # a server, so that no turn is taken
                except OSError: time.sleep(0.02)
            time.sleep(0.1)
            return ''.join(ask() for _ in range(2 * sum(weights)))
        finally: p.terminate(); p.wait()

def version(*command): return subprocess.run(command, capture_output=True, text=True, env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin'})
print(f"# {version('nginx', '-v').stderr.strip()}; {version('haproxy', '-v').stdout.split(' http')[0].strip()}")
for program, write in (('nginx', nginx), ('haproxy roundrobin', haproxy('roundrobin')), ('haproxy static-rr', haproxy('static-rr'))):
    for weights in WEIGHTS: print(f"{program},{' '.join(map(str, weights))},{record(write, weights)}", flush=True)
