SELECT count(*) FROM jobs WHERE status IN ('notstarted', 'running', 'cancelling')
