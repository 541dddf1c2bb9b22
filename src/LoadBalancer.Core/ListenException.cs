using System.Net.Sockets;

namespace LoadBalancer.Core;

/// <summary>A listener's address could not be bound. The message is one line for an operator.</summary>
public sealed class ListenException(string listener, string address, string reason, Exception? inner = null)
    : Exception($"listener '{listener}': cannot listen on {address}: {reason}", inner)
{
    /// <summary>Name of the listener.</summary>
    public string Listener { get; } = listener;

    internal static ListenException Of(string listener, string address, Exception e) => new(listener, address, e is not SocketException socket ? e.Message : socket.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "the address is in use by another process",
        SocketError.AccessDenied => address.StartsWith("unix:", StringComparison.Ordinal) ? "permission denied" : "permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)",
        SocketError.AddressNotAvailable => "this machine has no such address",
        _ => e.Message,
    }, e);
}
