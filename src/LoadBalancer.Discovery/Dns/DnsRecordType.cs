namespace LoadBalancer.Discovery.Dns;

/// <summary>The record types that are asked for or followed.</summary>
internal enum DnsRecordType : ushort
{
    A = 1, // RFC 1035 §3.2.2
    CName = 5,
    Aaaa = 28, // RFC 3596
    Srv = 33, // RFC 2782
}
