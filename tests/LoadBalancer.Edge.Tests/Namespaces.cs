using System.Diagnostics;
using System.Globalization;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>Machines on one network, each a network namespace with an eth0 on a bridge that they share. Needs root, and ip of iproute2.</summary>
internal sealed class Namespaces : IAsyncDisposable
{
    private readonly string _ip = SystemProgram.Require("ip");
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"lb{Environment.ProcessId}-");
    private readonly List<string> _made = [];
    private readonly List<Process> _processes = [];

    /// <summary>Makes the machines, by name and address; the test is skipped where that is not permitted.</summary>
    internal static async Task<Namespaces> CreateAsync(CancellationToken token, params (string Name, string[] Addresses)[] machines)
    {
        var made = new Namespaces();
        try
        {
            await made.AddAsync("net", token);
            await made.IpAsync(token, "-n", made._prefix + "net", "link", "add", "br0", "type", "bridge");
            await made.IpAsync(token, "-n", made._prefix + "net", "link", "set", "br0", "up");
            foreach ((string name, string[] addresses) in machines)
            {
                await made.AddAsync(name, token);
                await made.IpAsync(token, "-n", made._prefix + "net", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", made._prefix + name);
                await made.IpAsync(token, "-n", made._prefix + "net", "link", "set", name, "master", "br0", "up");
                await made.IpAsync(token, "-n", made._prefix + name, "link", "set", "lo", "up");
                await made.IpAsync(token, "-n", made._prefix + name, "link", "set", "eth0", "up");
                foreach (string address in addresses) await made.IpAsync(token, "-n", made._prefix + name, "address", "add", address, "dev", "eth0");
            }
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a program on a machine.</summary>
    internal Process Start(string machine, string log, string program, params string[] arguments)
    {
        // Its output goes to a file: nobody reads pipes of what runs beside.
        Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" > \"$log\" 2>&1", "sh", log, _ip, "netns", "exec", _prefix + machine, program, .. arguments]))!;
        _processes.Add(process);
        return process;
    }

    /// <summary>Runs a program on a machine to its end.</summary>
    internal Task<(int ExitCode, string Output)> RunAsync(string machine, string[] command, CancellationToken token) =>
        SystemProgram.RunAsync(_ip, token, ["netns", "exec", _prefix + machine, .. command]);

    /// <summary>The IPv4 addresses that a machine has.</summary>
    internal Task<string> AddressesAsync(string machine, CancellationToken token) => IpAsync(token, "-4", "-n", _prefix + machine, "-brief", "address", "show", "dev", "eth0");

    /// <summary>Pulls a machine's cable.</summary>
    internal Task CutAsync(string machine, CancellationToken token) => IpAsync(token, "-n", _prefix + "net", "link", "set", machine, "down");

    private async Task AddAsync(string name, CancellationToken token)
    {
        (int code, string output) = await SystemProgram.RunAsync(_ip, token, "netns", "add", _prefix + name);
        if (code != 0) Assert.Ignore($"network namespaces are not permitted here: {output.Trim()}");
        _made.Add(name);
    }

    private async Task<string> IpAsync(CancellationToken token, params string[] arguments)
    {
        (int code, string output) = await SystemProgram.RunAsync(_ip, token, arguments);
        return code == 0 ? output : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {output}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        foreach (string name in _made) await SystemProgram.RunAsync(_ip, CancellationToken.None, "netns", "del", _prefix + name);
    }
}
