using System.Globalization;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>PROXY headers.</summary>
internal sealed class ProxyHeaderTarget : IFuzzTarget
{
    private readonly byte[] _written = new byte[ProxyHeader.WriteMax];

    public string Name => "proxyheader";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        ProxyHeaderStatus status = ProxyHeader.Parse(input, out ProxyHeader header);
        string whole = Describe(status, header);
        for (int length = 0; length < input.Length; length += isThorough ? 1 : random.Next(1, 16))
        {
            ProxyHeaderStatus partStatus = ProxyHeader.Parse(input.AsSpan(0, length), out ProxyHeader part);
            if (partStatus != ProxyHeaderStatus.NeedMore) FuzzException.ThrowUnlessSame($"the first {length} bytes", whole, Describe(partStatus, part));
        }
        if (status != ProxyHeaderStatus.Complete) return status.ToString();
        if (header.Length > input.Length) throw new FuzzException($"a header of {header.Length} bytes in {input.Length}");

        if (header.HasAddresses)
        {
            foreach (ProxyProtocolVersion version in new[] { ProxyProtocolVersion.V1, ProxyProtocolVersion.V2 })
            {
                int length = ProxyHeader.Write(_written, version, header.Source, header.Destination);
                ProxyHeaderStatus again = ProxyHeader.Parse(_written.AsSpan(0, length), out ProxyHeader read);
                bool isUnix = header.Source.Family == System.Net.Sockets.AddressFamily.Unix;
                FuzzException.ThrowUnlessSame($"written as {version}", isUnix ? "Complete  " : $"Complete {header.Source} {header.Destination}",
                    read.HasAddresses ? $"{again} {read.Source} {read.Destination}" : $"{again}  ");
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"{header.Source.Family} {header.Destination.Family} {int.Log2(header.Length)} {input[0]} {header.Length < input.Length}");
    }

    private static string Describe(ProxyHeaderStatus status, ProxyHeader header) =>
        status == ProxyHeaderStatus.Complete ? string.Create(CultureInfo.InvariantCulture, $"{header.Length} {header.Source} {header.Destination}") : status.ToString();
}
