<#
.SYNOPSIS
Sets a Windows Server (or Windows 10, 11) up for mullion: enables the Windows features, installs the program, looks at the host.

.DESCRIPTION
Needs an elevated PowerShell. Everything may be done again: what is there already stays as it is. Windows is restarted only with
-Restart; without it the script says that a restart is needed, and exits with 3010. What the host needs besides is told, and with
-Fix repaired, by "mullion doctor", whose exit code is the script's.

.PARAMETER Program
mullion.exe; by default the one beside this script.

.PARAMETER HyperV
Enables Hyper-V too: images of other versions of Windows then run under it.

.PARAMETER Restart
Restarts Windows if the features need it. Start the script again afterwards: it then goes on to "mullion doctor".

.PARAMETER Fix
Runs "mullion doctor --fix".

.EXAMPLE
.\setup-windows.ps1 -Program .\mullion.exe -HyperV -Restart
#>
[CmdletBinding()]
param(
    [string] $Program = (Join-Path $PSScriptRoot 'mullion.exe'),
    [switch] $HyperV,
    [switch] $Restart,
    [switch] $Fix
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$installDirectory = Join-Path $env:ProgramFiles 'mullion'

function Assert-Elevated {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal($identity)
    if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'This script changes Windows: start it in an elevated PowerShell ("Run as administrator").'
    }
}

# True if Windows has to be restarted before the feature works.
function Enable-Feature([string] $Name) {
    $feature = Get-WindowsOptionalFeature -Online -FeatureName $Name
    if ($null -eq $feature) {
        throw "This edition of Windows has no feature $Name."
    }
    if ($feature.State -eq 'Enabled') {
        Write-Host "The feature $Name is enabled."
        return $false
    }
    if ($feature.State -eq 'EnablePending') {
        return $true
    }
    Write-Host "Enabling the feature $Name ..."
    return (Enable-WindowsOptionalFeature -Online -FeatureName $Name -All -NoRestart).RestartNeeded
}

function Install-Program([string] $Source) {
    $target = Join-Path $installDirectory 'mullion.exe'
    $isThere = (Test-Path -LiteralPath $target) -and
        ((Get-FileHash -LiteralPath $target).Hash -eq (Get-FileHash -LiteralPath $Source).Hash)
    if (-not $isThere) {
        New-Item -ItemType Directory -Force -Path $installDirectory | Out-Null
        Copy-Item -LiteralPath $Source -Destination "$target.new" -Force
        # A program that runs can be renamed, not replaced.
        if (Test-Path -LiteralPath $target) {
            Move-Item -LiteralPath $target -Destination "$target.old" -Force
        }
        Move-Item -LiteralPath "$target.new" -Destination $target
        Remove-Item -LiteralPath "$target.old" -Force -ErrorAction SilentlyContinue
        Write-Host "Installed $target."
    }
    return $target
}

# The registry's own text is read and written: what is in it as %SystemRoot% stays so.
function Add-MachinePath([string] $Directory) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey(
        'SYSTEM\CurrentControlSet\Control\Session Manager\Environment', $true)
    try {
        $path = [string] $key.GetValue('Path', '', 'DoNotExpandEnvironmentNames')
        $entries = @($path -split ';' | Where-Object { $_ -ne '' })
        $known = @($entries | ForEach-Object { [Environment]::ExpandEnvironmentVariables($_).TrimEnd('\') })
        if ($known -notcontains $Directory) {
            $key.SetValue('Path', (($entries + $Directory) -join ';'), 'ExpandString')
            # Tells running programs, the shell among them, that the environment changed; it sets nothing itself.
            [Environment]::SetEnvironmentVariable('MULLION_SETUP', $null, 'Machine')
            Write-Host "Put $Directory on the machine's PATH: new windows have it."
        }
    } finally {
        $key.Dispose()
    }
}

Assert-Elevated
$source = (Resolve-Path -LiteralPath $Program).ProviderPath

$features = @('Containers')
if ($HyperV) { $features += 'Microsoft-Hyper-V' }
$needed = @($features | Where-Object { Enable-Feature $_ })

$mullion = Install-Program $source
Add-MachinePath $installDirectory

if ($needed.Count -gt 0) {
    Write-Host "Windows must be restarted for: $($needed -join ', ')."
    if ($Restart) {
        Write-Host 'Restarting. Start this script again afterwards.'
        Restart-Computer -Force
    } else {
        Write-Host 'Restart it (Restart-Computer), then start this script again.'
    }
    exit 3010  # ERROR_SUCCESS_REBOOT_REQUIRED
}

$arguments = @('doctor')
if ($Fix) { $arguments += '--fix' }
& $mullion @arguments
exit $LASTEXITCODE
