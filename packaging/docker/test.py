"""Run by "test": the image's command in its root."""
import json, os, re, signal, subprocess, sys, time, urllib.request

root, dockerfile = sys.argv[1], open(sys.argv[2]).read()
words = {key: json.loads(re.findall(rf'^.*{key} (\[.*\])$', dockerfile, re.M)[-1]) for key in ('ENTRYPOINT', 'CMD', 'HEALTHCHECK.* CMD')}
user, group = map(int, re.search(r'^USER (\d+):(\d+)$', dockerfile, re.M).groups())
environment = dict(pair.split('=', 1) for pair in re.search(r'^ENV (.*)$', dockerfile, re.M).group(1).split())
directory = re.search(r'^WORKDIR (\S+)$', dockerfile[dockerfile.index('FROM scratch'):], re.M).group(1)
assert user != 0 and '8080' in re.search(r'^EXPOSE (.*)$', dockerfile, re.M).group(1)
programs = [os.path.join(folder, file) for folder, _, files in os.walk(root + '/usr/bin') for file in files]
assert programs == [root + '/usr/bin/lb'], programs # no shell, and nothing else to run
for folder, _, files in os.walk(root):
    if folder.startswith((root + '/proc', root + '/dev')): continue
    for name in files: assert not os.stat(os.path.join(folder, name)).st_mode & 0o6022, name # nothing set-uid, nothing that others may write

def enter():
    os.chroot(root)
    os.chdir(directory)
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)

def write():
    enter()
    try: open('/etc/lb/x', 'w')
    except OSError as e: os._exit(0 if e.errno == 30 else 1) # EROFS
    os._exit(1)

child = os.fork()
if child == 0: write()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, 'the root can be written'

health = words['HEALTHCHECK.* CMD']
ask = lambda: subprocess.run(health, executable=health[0], env=environment, preexec_fn=enter, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).returncode
assert ask() == 1, 'healthy before it runs'
service = subprocess.Popen(words['ENTRYPOINT'] + words['CMD'], env=environment, preexec_fn=enter, stdout=subprocess.PIPE, text=True)
for line in service.stdout:
    if line.startswith('Ready.'): break
else: raise SystemExit(f'lb ended with {service.wait()}')
assert ask() == 0, 'not healthy while it runs'
assert urllib.request.urlopen('http://127.0.0.1:8080/').read().startswith(b'lb runs.')
service.send_signal(signal.SIGTERM)
service.stdout.read()
assert service.wait(30) == 0, service.returncode
assert ask() == 1, 'healthy after its end'
