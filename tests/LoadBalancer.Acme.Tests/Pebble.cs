using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LoadBalancer.Testing;

namespace LoadBalancer.Acme.Tests;

/// <summary>
/// Let's Encrypt's ACME server for tests, and a name server (dnsmasq) for which every name below "test" is this machine. It forgets everything when it ends, and refuses
/// a part of all good nonces.
/// </summary>
internal sealed class Pebble : IAsyncDisposable
{
    internal const string EabKeyId = "kid-1", EabMacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    private readonly TestAuthority _authority = new("Pebble's own server");
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-pebble-").FullName;
    private readonly int _port = SystemProgram.FreePort(), _managementPort = SystemProgram.FreePort(), _dnsPort = SystemProgram.FreePort();
    private RunningProgram? _dns, _server;

    internal string DirectoryUrl => $"https://localhost:{_port}/dir";

    /// <summary>File with the root that its server is verified by.</summary>
    internal string Trust => _authority.Root;

    /// <summary>Starts it, or starts it again.</summary>
    /// <param name="httpPort">Where it looks for answers to HTTP-01.</param>
    /// <param name="tlsPort">Where it makes connections for TLS-ALPN-01.</param>
    /// <param name="token">Ends the wait.</param>
    /// <param name="needsExternalAccount">Whether it wants a binding to an external account.</param>
    /// <param name="environment">What it reads besides, as NAME=VALUE.</param>
    internal async Task StartAsync(int httpPort, int tlsPort, CancellationToken token, bool needsExternalAccount = false, params string[] environment)
    {
        string pebble = SystemProgram.Require("pebble"), dnsmasq = SystemProgram.Require("dnsmasq");
        if (_dns is null)
        {
            await File.WriteAllLinesAsync($"{_folder}/dns", ["no-daemon", "no-resolv", "no-hosts", "no-ping", "bind-interfaces", "listen-address=127.0.0.1", $"port={_dnsPort}", "user=", "pid-file=", "address=/test/127.0.0.1"], token);
            _dns = await SystemProgram.StartAsync(dnsmasq, _dnsPort, token, $"--conf-file={_folder}/dns");
        }
        string certificate = _authority.IssueFile(["localhost"]);
        await File.WriteAllTextAsync($"{_folder}/config", $$"""
            { "pebble": { "listenAddress": "127.0.0.1:{{_port}}", "managementListenAddress": "127.0.0.1:{{_managementPort}}", "certificate": {{Text(certificate)}}, "privateKey": {{Text(certificate)}},
              "httpPort": {{httpPort}}, "tlsPort": {{tlsPort}}, "ocspResponderURL": "", "externalAccountBindingRequired": {{(needsExternalAccount ? "true" : "false")}},
              "externalAccountMACKeys": { "{{EabKeyId}}": "{{EabMacKey}}" } } }
            """, token);
        _server = await SystemProgram.StartAsync("/usr/bin/env", _port, token, ["PEBBLE_VA_NOSLEEP=1", .. environment, pebble, "-config", $"{_folder}/config", "-dnsserver", $"127.0.0.1:{_dnsPort}"]);
    }

    /// <summary>Ends the server; what it knew is gone.</summary>
    internal async Task StopAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>File with the root that the certificates are verified by; another after each start.</summary>
    internal async Task<string> RootAsync(CancellationToken token)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(Trust);
        using var http = new HttpClient(handler);
        await File.WriteAllTextAsync($"{_folder}/root", await http.GetStringAsync(new Uri($"https://localhost:{_managementPort}/roots/0"), token), token);
        return $"{_folder}/root";
    }

    private static string Text(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_dns is not null) await _dns.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
