using System.Net;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary><c>lb convert</c> as a process, and its result beside what it was made of: the same requests get the same answers.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class ConvertCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test, CancelAfter(60_000)]
    public async Task ExitCodes_TellWhatCameOfIt(CancellationToken token)
    {
        string file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(file, "http { server { listen 127.0.0.1:8080; return 200 ok; } }", token);
        LbResult whole = await LbProcess.RunAsync(_folder, token, "convert", "nginx", file);
        Assert.That((whole.ExitCode, whole.Output, whole.Error), Is.EqualTo((0, "wrote lb.json; then: lb check lb.json\n", "")));
        Assert.That((await LbProcess.RunAsync(_folder, token, "check")).ExitCode, Is.Zero);
        LbResult again = await LbProcess.RunAsync(_folder, token, "convert", "nginx", file);
        Assert.That((again.ExitCode, again.Error), Is.EqualTo((1, "lb: lb.json exists already; '--force' overwrites it\n")));

        await File.WriteAllTextAsync(file, "http {\n gzip on;\n server { listen 127.0.0.1:8080; return 200 ok; } }", token);
        LbResult partial = await LbProcess.RunAsync(_folder, token, "convert", "nginx", file, "-o", "-");
        Assert.That((partial.ExitCode, partial.Error), Is.EqualTo((3, $"{file}:2: gzip on: left out\n")));
        Assert.That(partial.Output, Does.Contain($"//   {file}:2: gzip on: left out\n").And.Contain("\"respond\""));

        LbResult missing = await LbProcess.RunAsync(_folder, token, "convert", "yarp", "none.json");
        Assert.That(missing.ExitCode, Is.EqualTo(1));
        Assert.That(missing.Error, Does.StartWith("none.json: "));
    }

    [TestCase(false), TestCase(true), CancelAfter(60_000), System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task AFileWithAPassword_IsForItsOwnerAlone(bool isThere, CancellationToken token)
    {
        string file = Path.Combine(_folder, "appsettings.json"), written = Path.Combine(_folder, "lb.json");
        await File.WriteAllTextAsync(file, """{ "Kestrel": { "Endpoints": { "S": { "Url": "https://*:443", "Certificate": { "Path": "a.pfx", "Password": "secret" } } } }, "ReverseProxy": {} }""", token);
        if (isThere) await File.WriteAllTextAsync(written, "{}", token);
        Assert.That((await LbProcess.RunAsync(_folder, token, "convert", "yarp", file, "--force")).ExitCode, Is.EqualTo(3));
        Assert.That(await File.ReadAllTextAsync(written, token), Does.Contain("\"secret\""));
        Assert.That(File.GetUnixFileMode(written), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test, CancelAfter(120_000)]
    public async Task NginxAndItsConversion_GiveTheSameAnswers(CancellationToken token)
    {
        await using ScriptedOrigin app = ScriptedOrigin.AnsweringWithHead(), other = ScriptedOrigin.AnsweringWithHead();
        int port = SystemProgram.FreePort(), converted = SystemProgram.FreePort();
        string nginx = SystemProgram.Require("nginx");
        string file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(file, $$"""
            daemon off;
            master_process off;
            pid {{_folder}}/pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{_folder}}/b; proxy_temp_path {{_folder}}/p; fastcgi_temp_path {{_folder}}/f; uwsgi_temp_path {{_folder}}/u; scgi_temp_path {{_folder}}/s;
              proxy_redirect off;
              upstream app { server {{app.Address}}; }
              map $http_upgrade $connection_upgrade { default upgrade; '' close; }
              server {
                listen 127.0.0.1:{{port}};
                server_name one.example.com;
                client_max_body_size 1k;
                location / { proxy_pass http://app; proxy_set_header Host $http_host; proxy_set_header X-Env prod; }
                location = /exact { return 200 "exactly\n"; }
                location /api/ { proxy_pass http://app/v1/; }
                location /gone/ { return 410; }
                location /moved { return 301 /new$is_args$args; }
              }
              server {
                listen 127.0.0.1:{{port}};
                server_name two.example.com *.two.example.com;
                location / { return 302 http://one.example.com$request_uri; }
                location /keep/ { proxy_pass http://{{other.Address}}; add_header X-By conversion; }
              }
              server { listen 127.0.0.1:{{port}} default_server; server_name _; return 404; }
            }
            """, token);
        LbResult result = await LbProcess.RunAsync(_folder, token, "convert", "nginx", file);
        string[] told = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That((result.ExitCode, told.Length), Is.EqualTo((3, 2)), result.Error);
        Assert.That(told[0], Does.StartWith($"{file}:16: location = /exact {{ }}: nginx merges slashes"));
        Assert.That(told[1], Is.EqualTo($"{file}:19: location /moved {{ }}: matches /moved and what is below it, not other paths that begin so"));
        string text = await File.ReadAllTextAsync(Path.Combine(_folder, "lb.json"), token);
        Assert.That(text, Does.Contain($"127.0.0.1:{port}\""));
        await File.WriteAllTextAsync(Path.Combine(_folder, "lb.json"), text.Replace($"127.0.0.1:{port}\"", $"127.0.0.1:{converted}\"", StringComparison.Ordinal), token);
        Assert.That((await LbProcess.RunAsync(_folder, token, "check")).Error, Is.Empty);

        await using RunningProgram server = await SystemProgram.StartAsync(nginx, port, token, "-c", file, "-e", $"{_folder}/error.log");
        using LbProcess lb = LbProcess.StartIn(_folder, [new("XDG_RUNTIME_DIR", _folder)], "run");
        await lb.LineAsync("Ready.", token);
        (string Host, string Target, int Body)[] requests =
        [
            ("one.example.com", "/", 0), ("one.example.com", "/a/b?c=d", 0), ("one.example.com", "/exact", 0), ("one.example.com", "/exact/more", 0), ("one.example.com", "/api/users/7?x=%20y", 0),
            ("one.example.com", "/api", 0), ("one.example.com", "/api/", 0), ("one.example.com", "/gone/x", 0), ("one.example.com", "/moved?a=b", 0), ("one.example.com", "/", 500), ("one.example.com", "/", 2000),
            ("two.example.com", "/x?y", 0), ("a.b.two.example.com", "/x", 0), ("two.example.com", "/keep/x", 0), ("two.example.com", "/keep", 0), ("three.example.com", "/", 0), ("ONE.example.com:1234", "/", 0),
        ];
        foreach ((string host, string target, int body) in requests)
            Assert.That(await AskAsync(converted, host, target, body, token), Is.EqualTo(await AskAsync(port, host, target, body, token)), $"{host} {target} {body}\n{text}");
    }

    // Where the two cannot be alike, lb is the stricter one.
    [Test, CancelAfter(120_000)]
    public async Task WhomNginxKeepsOut_ItsConversionKeepsOut(CancellationToken token)
    {
        await using ScriptedOrigin app = ScriptedOrigin.AnsweringWithHead();
        int[] ports = [SystemProgram.FreePort(), SystemProgram.FreePort(), SystemProgram.FreePort()], converted = [SystemProgram.FreePort(), SystemProgram.FreePort(), SystemProgram.FreePort()];
        string nginx = SystemProgram.Require("nginx");
        string file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(Path.Combine(_folder, "users"), "a:{PLAIN}b\n", token);
        await File.WriteAllTextAsync(file, $$"""
            daemon off;
            master_process off;
            pid {{_folder}}/pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{_folder}}/b; proxy_temp_path {{_folder}}/p; fastcgi_temp_path {{_folder}}/f; uwsgi_temp_path {{_folder}}/u; scgi_temp_path {{_folder}}/s;
              proxy_set_header Host $http_host;
              server {
                listen [::]:{{ports[0]}} ipv6only=off;
                location / { proxy_pass http://{{app.Address}}; }
                location /internal/ { internal; proxy_pass http://{{app.Address}}; }
                location = /auth { internal; proxy_pass http://{{app.Address}}; }
                location /nobody/ { deny all; proxy_pass http://{{app.Address}}; }
                location /everybody/ { allow all; deny 127.0.0.1; proxy_pass http://{{app.Address}}; }
                location /most/ { allow 10.0.0.1; proxy_pass http://{{app.Address}}; }
                location /moved/ { deny all; auth_basic x; auth_basic_user_file users; return 302 /x; }
                location /users/ { auth_basic x; auth_basic_user_file users; proxy_pass http://{{app.Address}}; }
                location /some/ { allow 10.0.0.1; deny all; proxy_pass http://{{app.Address}}; }
                location /reading/ { limit_except GET { deny all; } proxy_pass http://{{app.Address}}; }
                location /key/ { if ($http_x_key != s) { return 401; } proxy_pass http://{{app.Address}}; }
                location /asked/ { auth_request /never; proxy_pass http://{{app.Address}}; }
                location = /never { internal; return 401; }
              }
              server { listen 127.0.0.1:{{ports[1]}}; deny 10.0.0.0/8; allow 127.0.0.0/8; deny all; location / { proxy_pass http://{{app.Address}}; } }
              server { listen 127.0.0.1:{{ports[2]}}; deny 127.0.0.1/8; location / { proxy_pass http://{{app.Address}}; } }
            }
            """, token);
        LbResult result = await LbProcess.RunAsync(_folder, token, "convert", "nginx", file);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        string text = await File.ReadAllTextAsync(Path.Combine(_folder, "lb.json"), token);
        for (int i = 0; i < ports.Length; i++) text = text.Replace($":{ports[i]}\"", $":{converted[i]}\"", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(_folder, "lb.json"), text, token);
        Assert.That((await LbProcess.RunAsync(_folder, token, "check")).Error, Is.Empty);

        await using RunningProgram server = await SystemProgram.StartAsync(nginx, ports[0], token, "-c", file, "-e", $"{_folder}/error.log");
        using LbProcess lb = LbProcess.StartIn(_folder, [new("XDG_RUNTIME_DIR", _folder)], "run");
        await lb.LineAsync("Ready.", token);
        foreach (string target in (string[])["/", "/internal/x", "/internal", "/auth", "/nobody/", "/nobody", "//nobody/x", "/nobody%2Fx", "/%6Eobody//x", "//internal/x", "//auth", "/everybody/x", "/most/x", "/moved/x"])
            Assert.That(await AskAsync(converted[0], "a", target, 0, token), Is.EqualTo(await AskAsync(ports[0], "a", target, 0, token)), $"{target}\n{text}");
        foreach ((string target, string with) in ((string, string)[])[("/users/", "401"), ("//users/x", "401"), ("/users%2Fx", "401"), ("/x/..%2Fusers/x", "401"), ("/some/", "403"), ("/reading/", "403"), ("/key/", "401"), ("/asked/", "401")])
        {
            Assert.That(await AskAsync(ports[0], "a", target, 1, token), Does.StartWith(with));
            Assert.That(await AskAsync(converted[0], "a", target, 1, token), Does.StartWith("501"), $"{target}\n{text}");
        }
        Assert.That(await AskAsync(converted[1], "a", "/x", 0, token), Is.EqualTo(await AskAsync(ports[1], "a", "/x", 0, token)).And.StartsWith("200"));
        Assert.That(await AskAsync(ports[2], "a", "/x", 0, token), Does.StartWith("403"));
        Assert.That(await EndAsync(converted[2], token), Is.Empty, "reset at accept");
    }

    // A reset is seen by the connect or by the read, whichever it meets, or as an end.
    private static async Task<string> EndAsync(int port, CancellationToken token)
    {
        try
        {
            using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), token);
            return await client.ReadToEndAsync(token);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            return "";
        }
    }

    // What both must have alike: status, where a redirect goes, fields, and what the destination was sent.
    private static async Task<string> AskAsync(int port, string host, string target, int body, CancellationToken token)
    {
        using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), token);
        await client.SendAsync($"{(body > 0 ? "POST" : "GET")} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{(body > 0 ? $"Content-Length: {body}\r\n" : "")}\r\n{new string('x', body)}", token);
        string[] lines = (await client.ReadToEndAsync(token)).Split("\r\n");
        string status = lines[0].Split(' ')[1];
        string? Field(string name) => lines.FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
        // nginx makes its own redirects absolute, with the port it listens on.
        string? location = Field("Location");
        if (location is not null && Uri.TryCreate(location, UriKind.Absolute, out Uri? uri) && uri.Port == port) location = uri.PathAndQuery;
        string? request = lines.FirstOrDefault(line => line.EndsWith("HTTP/1.0", StringComparison.Ordinal) || line.EndsWith(" HTTP/1.1", StringComparison.Ordinal));
        // nginx puts fields of add_header on redirects of its own too.
        return $"{status} to {location} by {(request is null ? "" : Field("X-By"))}: {request?.Split(' ')[1]} host {(request is null ? "" : Field("Host"))} env {Field("X-Env")} {(lines[^1].StartsWith("exactly", StringComparison.Ordinal) ? lines[^1] : "")}";
    }
}
