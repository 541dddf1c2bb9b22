namespace LoadBalancer.Scripting.Running;

/// <summary>A call has used up a budget. No script can catch it: it is no exception of the language.</summary>
/// <param name="message">Which budget, and how much it was; goes into the log.</param>
internal sealed class ScriptOverrunException(string message) : Exception(message);
