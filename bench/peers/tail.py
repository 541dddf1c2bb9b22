#!/usr/bin/env python3
"""Tail latency before unequal servers: lb's policies beside nginx's and HAProxy's, at a fixed rate, in interleaved rounds.

  tail.py artifacts/lb/lb                 with each proxy's usual defences against servers that fail
  tail.py artifacts/lb/lb --bare          without: the algorithms alone

Seven servers of four cores (fleet.c), requests of 10 ms: three at full speed, one at half, one at a tenth, one that stands still for 300 ms every
2 s, one that answers 500 at once. Each proxy has a fleet of its own, so that none finds the queues of another. Request N costs the same
whoever forwards it. Latency counts from when a request was due (rate.c), over answers of 2xx; the rest are errors.

Defences. lb: its defaults (outlier ejection after 5 failures in a row, for 30 s; retries of what broke, not of 500). nginx: max_fails=1
fail_timeout=10s and proxy_next_upstream error timeout http_500, so that the client does not see a 500. HAProxy: check inter 2s (TCP), observe layer7
with error-limit 10 on-error mark-down, retries 3, option redispatch, retry-on conn-failure empty-response 500. Bare: none of these, no retry of 500."""
import argparse, os, re, shutil, statistics, subprocess, tempfile
from compare import HERE, HAPROXY_CONF, NGINX_CONF, Proxy, pinned, us
SERVERS = ['4:1', '4:1', '4:1', '4:0.5', '4:0.1', '4:1:2000/300', '4:1:fail']

def nginx(method, bare):
    def write(port, backends, d):
        server = 'max_fails=0' if bare else 'max_fails=1 fail_timeout=10s'
        text = NGINX_CONF.format(dir=d, port=port, tls='', servers=method + ' ' + ' '.join(f'server 127.0.0.1:{b} {server};' for b in backends))
        text = text.replace('location / {', 'location / { ' + ('' if bare else 'proxy_next_upstream error timeout http_500; '))
        path = os.path.join(d, 'nginx.conf'); open(path, 'w').write(text.replace('upstream b {', 'upstream b { zone b 256k;'))
        return f'{os.environ.get("NGINX", "nginx")} -p {d} -e stderr -c {path}'
    return write

def haproxy(balance, bare):
    def write(port, backends, d):
        server = '' if bare else 'check inter 2s observe layer7 error-limit 10 on-error mark-down'
        text = HAPROXY_CONF.format(port=port, tls='', extra='', servers='\n'.join(f' server s{i} 127.0.0.1:{b} {server}' for i, b in enumerate(backends)))
        text = text.replace('balance roundrobin', f'balance {balance}' + ('' if bare else '\n retries 3\n option redispatch\n retry-on conn-failure empty-response 500'))
        path = os.path.join(d, 'haproxy.conf'); open(path, 'w').write(text)
        return f'{os.environ.get("HAPROXY", "haproxy")} -db -q -f {path}'
    return write

def lb(binary, policy, bare):
    return lambda port, backends, d: f'{HERE}/lb.sh {binary} {port} {",".join(map(str, backends))} 1 {policy}' + (' false' if bare else '')

class Fleet:
    def __init__(self, binary, ports, core):
        self.p = subprocess.Popen(pinned(core, [binary] + [f'{port}:{what}' for port, what in zip(ports, SERVERS)]))
    def stop(self): self.p.terminate(); self.p.wait()

def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('lb', help='the binary'); a.add_argument('--bare', action='store_true', help='no retries of 500, no ejection, no checks')
    a.add_argument('-r', '--rounds', type=int, default=5); a.add_argument('-s', '--secs', type=int, default=6); a.add_argument('--rate', type=int, default=600)
    a.add_argument('--warm', type=int, default=2); a.add_argument('--proxy-core', default='0'); a.add_argument('--load-core', default='1')
    a.add_argument('--base-port', type=int, default=19000)
    o = a.parse_args()
    root = tempfile.mkdtemp(prefix='tail.'); os.chmod(root, 0o755)
    for name, libraries in (('fleet', ['-lm']), ('rate', [])): subprocess.run(['cc', '-O2', '-o', f'{root}/{name}', f'{HERE}/{name}.c'] + libraries, check=True)
    kinds = {'lb latency-weighted': lb(o.lb, 'latency-weighted', o.bare), 'nginx least_conn': nginx('least_conn;', o.bare), 'nginx random two': nginx('random two least_conn;', o.bare),
             'haproxy leastconn': haproxy('leastconn', o.bare), 'haproxy random(2)': haproxy('random(2)', o.bare)}
    proxies, fleets, results = [], [], {}
    try:
        for i, (name, write) in enumerate(kinds.items()):
            port = o.base_port + 20 * i; backends = list(range(port + 1, port + 1 + len(SERVERS))); d = os.path.join(root, str(i)); os.makedirs(d)
            fleets.append(Fleet(f'{root}/fleet', backends, o.load_core))
            proxies.append(Proxy(f'{i}={write(port, backends, d)}', port, backends, root)); proxies[-1].name = name
            start(proxies[-1], o.proxy_core)
        for rnd in range(-1, o.rounds):
            for p in proxies if rnd % 2 == 0 else proxies[::-1]:
                secs = o.secs if rnd >= 0 else o.warm
                first = (rnd + 1) * 1000000
                out = subprocess.run(pinned(o.load_core, [f'{root}/rate', str(p.port), str(o.rate), str(secs), '1000', '/', str(first)]), capture_output=True, text=True).stdout
                if rnd < 0: continue
                r = {q: us(t) / 1e3 for q, t in re.findall(r'^([\d.]+)%\s+(\S+)', out, re.M)}
                r['errors'] = 100 * int(re.search(r'(\d+) errors', out)[1]) / (o.rate * secs)
                results.setdefault(p.name, []).append(r)
    finally:
        for p in proxies: p.stop()
        for f in fleets: f.stop()
        shutil.rmtree(root, ignore_errors=True)
    print(f'{o.rate}/s, {o.rounds} rounds of {o.secs} s, {"bare" if o.bare else "usual defences"}; medians of the rounds, in brackets the least and the most; ms\n')
    print('| | p50 | p99 | p99.9 | errors, % |\n|---|---:|---:|---:|---:|')
    for name, rs in results.items():
        cell = lambda k: (lambda v: f'{statistics.median(v):.3g} ({min(v):.3g}–{max(v):.3g})')([r[k] for r in rs])
        print(f'| {name} | ' + ' | '.join(cell(k) for k in ('50', '99', '99.9', 'errors')) + ' |')

def start(proxy, core):
    """Proxy.start waits for an answer of the backend of compare.py; here any answer will do, as one server fails."""
    import socket, time
    proxy.p = subprocess.Popen(pinned(core, proxy.cmd), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(os.path.join(proxy.dir, 'stderr'), 'w'), start_new_session=True)
    for _ in range(2000):
        try:
            with socket.create_connection(('127.0.0.1', proxy.port), 5): return
        except OSError:
            if proxy.p.poll() is not None: break
            time.sleep(0.01)
    raise SystemExit(f'{proxy.name} did not start: ' + open(os.path.join(proxy.dir, 'stderr')).read()[-500:])

if __name__ == '__main__': main()
