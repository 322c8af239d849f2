#!/usr/bin/env python3
"""Builds with mullion.exe under Wine, on the doubles of HCS (tests/support/fake_hcs), from base image to run.

    native_build.py UNDER_WINE PROGRAM EXAMPLES LINUX_PROGRAM

PROGRAM lies in a directory with the doubles. LINUX_PROGRAM builds the same with the emulation, for comparison; without it
those tests are skipped.
"""
import contextlib, glob, gzip, io, json, os, shutil, signal, sqlite3, subprocess, sys, tarfile, time, unittest

UNDER_WINE, PROGRAM, EXAMPLES, LINUX = map(os.path.abspath, sys.argv[1:5])
BASE = 'mcr.microsoft.com/windows/nanoserver:ltsc2022'
# The same without the doubles: to it, Windows has no containers.
ALONE = os.path.join(os.path.dirname(PROGRAM), '..', '..', 'mullion.exe')
WORK = os.path.join(os.path.dirname(PROGRAM), 'work')
SECONDS = 240
# Wine says it is a client, and of another version.
HOST = '--isolation=process', '--host-os-version=10.0.20348.1'


def windows(path):
    return 'Z:' + path.replace('/', '\\')


def blob(archive, digest):
    return archive.extractfile('blobs/' + digest.replace(':', '/')).read()


def layers_of(path):
    """The layers of the only image in an OCI archive: their digests, and the contents of their files (of hard links, the name)."""
    with tarfile.open(path) as archive:
        index = json.load(archive.extractfile('index.json'))
        manifest = json.loads(blob(archive, index['manifests'][0]['digest']))
        result = []
        for descriptor in manifest['layers']:
            layer = tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(archive, descriptor['digest']))))
            files = {member.name: member.linkname if member.islnk() else layer.extractfile(member).read()
                     for member in layer if member.isreg() or member.islnk()}
            result.append((descriptor['digest'], files))
        return result


def kill_session(session):
    """Everything that a process with a session of its own has started there, at once."""
    for stat in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(stat) as file:
                fields = file.read().rpartition(')')[2].split()
            if int(fields[3]) == session:
                os.kill(int(stat.split('/')[2]), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


class Host:
    """One pretended Windows host with a state directory of its own."""

    def __init__(self, name):
        self.directory = os.path.join(WORK, name)
        os.makedirs(os.path.join(self.directory, 'hcs'))

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def start(self, *arguments, program=PROGRAM, **more):
        environment = dict(os.environ, MULLION_STATE=windows(self.path('state')), MULLION_FAKE_HCS=windows(self.path('hcs')),
                           MULLION_WINE_SECONDS=str(SECONDS))
        return subprocess.Popen([UNDER_WINE, program, *arguments], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **more)

    def run(self, *arguments, **more):
        process = self.start(*arguments, **more)
        out, errors = process.communicate(timeout=SECONDS + 30)
        return process.returncode, out.decode(errors='replace'), errors.decode(errors='replace')

    def fault(self, call, value, times=1):
        with open(self.path('hcs', 'faults'), 'w') as faults:
            faults.write(f'{call} {value}\n' * times)

    def faults_left(self):
        path = self.path('hcs', 'faults')
        return os.path.exists(path) and os.path.getsize(path) > 0

    def log(self):
        with open(self.path('hcs', 'log'), errors='replace') as log:
            return log.read().splitlines()

    def clear_log(self):
        open(self.path('hcs', 'log'), 'w').close()

    def leftovers(self):
        """What a container leaves that should be gone: entries of the list of scratches, scratches, and temporary files."""
        found = glob.glob(self.path('state', 'scratches', '*')) + glob.glob(self.path('state', 'tmp', '*'))
        found += glob.glob(self.path('state', '**', 'rm-*'), recursive=True)
        return found + glob.glob(self.path('state', '**', 'sandbox.vhdx'), recursive=True)

    def unpacked(self):
        return glob.glob(self.path('state', 'layers', '*', 'Files'))

    def forget_results(self):
        """As if nobody had built anything for a month."""
        with contextlib.closing(sqlite3.connect(self.path('state', 'mullion.db'))) as database, database:
            database.execute('UPDATE records SET used = 0')


class NativeBuild(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(WORK, ignore_errors=True)
        cls.host = Host('host')
        prefix = os.path.join(os.path.dirname(PROGRAM), '..', '..', 'wine', 'drive_c', 'windows', 'system32')
        if not os.path.isdir(prefix):
            cls.host.run('version')
        shutil.copy(os.path.join(os.path.dirname(PROGRAM), 'bcryptprimitives.dll'), prefix)
        code, _, errors = cls.host.run('base', 'create', '--os-version', '10.0.20348.2700', '--dest', 'base')
        assert code == 0, errors

    def setUp(self):
        self.host.clear_log()

    def build_arguments(self, *arguments):
        base = windows(os.path.join(self.host.directory, 'base'))
        return 'build', '--progress', 'plain', *HOST, '--build-context', f'{BASE}=oci-layout://{base}', *arguments

    def build(self, *arguments):
        return self.host.run(*self.build_arguments(*arguments))

    def linux(self, name, *arguments):
        if not os.path.exists(LINUX):
            self.skipTest(f'no {LINUX}')
        environment = dict(os.environ, MULLION_STATE=self.host.path('linux-state'))
        base = os.path.join(self.host.directory, 'base')
        done = subprocess.run([LINUX, 'build', '--build-context', f'{BASE}=oci-layout://{base}', '-o', f'type=oci,dest={name}',
                               *arguments], cwd=self.host.directory, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return layers_of(self.host.path(name))

    def assert_nothing_left(self):
        for line in self.host.log():
            if line.startswith('left '):
                self.assertEqual(line.strip(), 'left 0')
        self.assertEqual(self.host.leftovers(), [])

    def test_hello_builds_and_prints_both_lines(self):
        code, _, errors = self.build('-t', 'hello', windows(os.path.join(EXAMPLES, 'hello')))
        self.assertEqual(code, 0, errors)
        code, out, errors = self.host.run('run', *HOST, '--rm', 'hello')
        self.assertEqual((code, out), (0, 'Hello World!\r\n"Goodbye!" \r\n'), errors)
        self.assert_nothing_left()

    def test_layers_are_those_of_the_emulation(self):
        code, _, errors = self.build('-o', 'type=oci,dest=native.tar', windows(os.path.join(EXAMPLES, 'hello')))
        self.assertEqual(code, 0, errors)
        native = layers_of(self.host.path('native.tar'))
        emulated = self.linux('emulated.tar', os.path.join(EXAMPLES, 'hello'))
        self.assertEqual([digest for digest, _ in native[:-1]], [digest for digest, _ in emulated[:-1]])
        self.assertEqual(native[-1][1], emulated[-1][1])

    def test_hard_links_are_links(self):
        context = self.host.path('links')
        os.makedirs(context, exist_ok=True)
        with open(os.path.join(context, 'Dockerfile'), 'w') as file:
            file.write(f'FROM {BASE}\nRUN echo made> a.txt&mklink /H b.txt a.txt\n')
        code, _, errors = self.build('-o', 'type=oci,dest=links.tar', windows(context))
        self.assertEqual(code, 0, errors)
        native = layers_of(self.host.path('links.tar'))[-1][1]
        self.assertEqual(native, {'Files/a.txt': b'made\r\n', 'Files/b.txt': 'Files/a.txt'})
        self.assertEqual(native, self.linux('links-emulated.tar', context)[-1][1])

    # Of an index the host's version is built on, not the highest; Wine's own version counts where nothing is said.
    def test_the_host_takes_what_it_can_run(self):
        versions = '10.0.10240.1', '10.0.20348.2700', '10.0.99999.1'
        code, _, errors = self.host.run('base', 'create', '--dest', 'versions', *(f'--os-version={v}' for v in versions))
        self.assertEqual(code, 0, errors)
        context = self.host.path('take')
        os.makedirs(context, exist_ok=True)

        def take(step, *arguments):
            with open(os.path.join(context, 'Dockerfile'), 'w') as file:
                file.write(f'FROM {BASE}\n{step}\n')
            code, _, errors = self.host.run('build', '--progress', 'plain', '--build-context',
                                            f'{BASE}=oci-layout://{windows(self.host.path("versions"))}',
                                            '-o', 'type=oci,dest=take.tar', *arguments, windows(context))
            self.assertEqual(code, 0, errors)
            with tarfile.open(self.host.path('take.tar')) as archive:
                manifest = json.loads(blob(archive, json.load(archive.extractfile('index.json'))['manifests'][0]['digest']))
                return json.loads(blob(archive, manifest['config']['digest']))['os.version'], errors

        taken, errors = take('LABEL a=b')
        self.assertEqual(taken, versions[0])
        self.assertIn(f'windows({versions[0]})/amd64: the only one that fits', errors)
        taken, errors = take('RUN echo made> made.txt', '--os-match=auto', *HOST)
        self.assertEqual(taken, versions[1])
        self.assertIn('the highest of 2 that are not newer than Windows 10.0.20348', errors)
        self.assertEqual(take('LABEL a=b', '--os-match=base')[0], versions[2])
        self.assert_nothing_left()

    def test_multistage_bundles_with_esbuild(self):
        context = self.host.path('multistage')
        shutil.copytree(os.path.join(EXAMPLES, 'multistage'), context, dirs_exist_ok=True)
        esbuild = os.path.join(context, 'tools', 'esbuild.exe')
        if not os.path.exists(esbuild):
            os.makedirs(os.path.dirname(esbuild), exist_ok=True)
            packed = subprocess.run('npm pack --silent @esbuild/win32-x64@0.25.0 && tar -xzf *.tgz package/esbuild.exe && '
                                    'mv package/esbuild.exe tools/', shell=True, cwd=context, capture_output=True, text=True)
            if packed.returncode != 0:
                self.skipTest('npm cannot deliver esbuild: ' + packed.stderr)
        code, _, errors = self.build('-t', 'multistage', '-o', 'type=oci,dest=multistage.tar', windows(context))
        self.assertEqual(code, 0, errors)
        native = layers_of(self.host.path('multistage.tar'))
        self.assertIn('Files/site/app.js', native[-1][1])
        emulated = self.linux('multistage-emulated.tar', context)
        self.assertEqual([files for _, files in native], [files for _, files in emulated])
        self.assert_nothing_left()

    # A failure is tried again or is the build's; either way nothing is left, and the next build is none the wiser.
    def test_every_call_of_a_step_fails_once(self):
        step = self.host.path('step')
        os.makedirs(step, exist_ok=True)

        # A directory that no run before had: its layer is imported.
        def build(name):
            with open(os.path.join(step, 'Dockerfile'), 'w') as file:
                file.write(f'FROM {BASE}\nWORKDIR C:\\{name}\nRUN echo made> made.txt\n')
            return self.build('--no-cache', windows(step))

        code, _, errors = build('all')
        self.assertEqual(code, 0, errors)
        calls = sorted({line.split()[0] for line in self.host.log()} - {'left', 'BackupWrite'})
        requests = [call for call in calls if call.startswith('Hcs') and not call.startswith(('HcsClose', 'HcsOpen'))]
        self.assertGreater(len(calls), 20, calls)
        results = []
        for call in calls + [request + '.result' for request in requests]:
            if call.startswith(('HcsClose', 'NameToGuid')):
                continue
            with self.subTest(call=call):
                self.host.clear_log()
                self.host.fault(call, '800705AA')
                code, _, errors = build(call)
                taken = not self.host.faults_left()
                results.append((call, taken, code))
                self.assertTrue(taken, 'the call was not made')
                if code != 0:
                    self.assertIn('0x800705AA', errors)
                self.assert_nothing_left()
        print(*(f'{call}: {"succeeds" if code == 0 else "fails"}' for call, _, code in results), sep='\n', file=sys.stderr)

    def test_a_killed_build_is_rolled_back_by_the_next(self):
        step = self.host.path('killed')
        os.makedirs(step, exist_ok=True)
        with open(os.path.join(step, 'Dockerfile'), 'w') as file:
            file.write(f'FROM {BASE}\nRUN echo killed> made.txt\n')
        self.host.fault('HcsStartComputeSystem.result', 'hang')
        process = self.host.start(*self.build_arguments('--no-cache', windows(step)))
        deadline = time.monotonic() + SECONDS
        while self.host.faults_left() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertNotEqual(self.host.leftovers(), [])
        kill_session(process.pid)
        process.communicate()
        code, _, errors = self.build(windows(step))
        self.assertEqual(code, 0, errors)
        self.assertEqual(self.host.leftovers(), [])

    def build_for_nobody(self):
        step = self.host.path('nobody')
        os.makedirs(step, exist_ok=True)
        with open(os.path.join(step, 'Dockerfile'), 'w') as file:
            file.write(f'FROM {BASE}\nRUN echo made> made.txt\n')
        code, _, errors = self.build('--no-cache', windows(step))
        self.assertEqual(code, 0, errors)
        self.assertNotEqual(self.host.unpacked(), [])
        self.host.forget_results()
        self.host.clear_log()

    def destroyed(self):
        return sum(line.startswith('DestroyLayer') for line in self.host.log())

    # After all others, whose images go too.
    def test_what_nothing_needs_is_removed_by_windows(self):
        self.build_for_nobody()
        layers = len(self.host.unpacked())
        code, _, errors = self.host.run('rmi', '--force', 'hello', 'multistage')
        self.assertEqual(code, 0, errors)
        self.assertEqual(self.host.unpacked(), [])
        self.assertEqual(self.destroyed(), layers)
        self.assert_nothing_left()

    def test_what_nothing_needs_and_somebody_uses_is_removed_later(self):
        self.host.run('rmi', '--force', 'hello', 'multistage')
        self.build_for_nobody()
        self.host.fault('DestroyLayer', '80070020', times=4)
        code, _, errors = self.host.run('cache', 'prune')
        self.assertEqual(code, 0, errors)
        self.assertIn('a later start tries again', errors)
        self.assertEqual(self.host.unpacked(), [])
        self.assertEqual(len(self.host.leftovers()), 1)
        code, _, errors = self.host.run('images')
        self.assertEqual((code, errors), (0, ''))
        self.assert_nothing_left()

    def test_what_nothing_needs_is_removed_where_containers_are_no_more(self):
        self.build_for_nobody()
        code, _, errors = self.host.run('rmi', '--force', 'hello', 'multistage', program=ALONE)
        self.assertEqual((code, errors), (0, ''))
        self.assertEqual(self.host.unpacked(), [])
        self.assertEqual(self.destroyed(), 0)
        self.assert_nothing_left()


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
