using System.Net.Sockets;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

/// <summary>What is said when an address cannot be bound.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ListenExceptionTests
{
    [TestCase("127.0.0.1:80", "permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)")]
    [TestCase("unix:/run/lb.sock", "permission denied")]
    public void ARefusedAddressSaysWhatItLacks(string address, string reason) => Assert.That(
        ListenException.Of("l", address, new SocketException((int)SocketError.AccessDenied)).Message, Is.EqualTo($"listener 'l': cannot listen on {address}: {reason}"));
}
